/** The exit codes that a shell expects of a process which a signal ended. */
const EXIT_CODES = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const

/**
 * A signal that aborts at the first SIGINT, SIGTERM or SIGHUP, so that a command can finish what it does.
 * A second one ends the process at once, with the exit code that a shell expects.
 */
export function interruption(): AbortSignal {
  const controller = new AbortController()
  for (const [name, exitCode] of Object.entries(EXIT_CODES)) {
    process.on(name, () => {
      if (controller.signal.aborted) process.exit(exitCode)
      controller.abort()
    })
  }
  return controller.signal
}
