/** Resolves when the work is done, or after so many milliseconds, whichever comes first. */
export async function within(timeoutMs: number, work: Promise<unknown>): Promise<void> {
  const timeout = Promise.withResolvers<void>()
  // A longer delay than a timer can hold would fire at once.
  const timer = setTimeout(timeout.resolve, Math.min(timeoutMs, 2 ** 31 - 1))
  try {
    await Promise.race([work, timeout.promise])
  } finally {
    clearTimeout(timer)
  }
}
