#!/usr/bin/env node
import { CommanderError } from 'commander'

import { printCapabilities } from './commands/capabilities.ts'
import { demo } from './commands/demo.ts'
import { doctor } from './commands/doctor.ts'
import { tail } from './commands/tail.ts'
import { uninstall } from './commands/uninstall.ts'
import { describeFailure, traceOf } from './failure/describe-failure.ts'
import { program } from './program.ts'
import { surroundings } from './terminal/surroundings.ts'

const around = surroundings()

/** Runs the command of the arguments, and returns the exit code. Failures become one line on standard error. */
async function run(): Promise<number> {
  try {
    await program(
      {
        demo: (options) => demo(options, around),
        tail: (options) => tail(options, around),
        doctor: (options) => doctor(options, around),
        uninstall: (options) => uninstall(options, around),
        capabilities: (options) => printCapabilities(options, around),
      },
      around.environment,
    ).parseAsync()
    await around.output.flush()
    return 0
  } catch (error) {
    // Help and version are printed; that they end the program is no failure.
    if (error instanceof CommanderError && error.exitCode === 0) return 0
    // Without a command the help has been printed already.
    if (error instanceof CommanderError && error.code === 'commander.help') return 2
    const failure = describeFailure(error)
    void around.messages.write(failure.sentence)
    if (around.environment['ROWTAP_DEBUG']) void around.messages.write(traceOf(error))
    return failure.exitCode
  }
}

// Whatever happens outside of a command's own course still ends in one line, not in a trace.
process.on('uncaughtException', (error) => {
  console.error(describeFailure(error).sentence)
  if (around.environment['ROWTAP_DEBUG']) console.error(traceOf(error))
  process.exit(1)
})
process.exitCode = await run()
