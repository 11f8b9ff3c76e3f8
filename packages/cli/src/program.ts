import { readFileSync } from 'node:fs'

import { Command } from 'commander'

import { givenOnce } from './arguments/given-once.ts'
import { positiveInteger } from './arguments/positive-integer.ts'
import type { CapabilitiesOptions } from './commands/capabilities.ts'
import { addDoctor } from './command-line/add-doctor.ts'
import { addTail } from './command-line/add-tail.ts'
import { addUninstall } from './command-line/add-uninstall.ts'
import type { DemoOptions } from './commands/demo.ts'
import type { DoctorOptions } from './commands/doctor.ts'
import type { TailOptions } from './commands/tail.ts'
import type { UninstallOptions } from './commands/uninstall.ts'

/** What each command does with its options. */
export interface Commands {
  demo(options: DemoOptions): Promise<void>
  tail(options: TailOptions): Promise<void>
  doctor(options: DoctorOptions): Promise<void>
  uninstall(options: UninstallOptions): Promise<void>
  capabilities(options: CapabilitiesOptions): Promise<void>
}

/**
 * The command line: reads arguments and calls one of `commands`.
 *
 * `parseAsync` throws UsageError or CommanderError where the arguments are wrong, and what the command throws.
 */
export function program(commands: Commands, environment: NodeJS.ProcessEnv): Command {
  const rowtap = new Command('rowtap')
    .description('See what changes in PostgreSQL, while it happens.')
    .version(ownVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand('help [command]', 'print the help of a command')
    .exitOverride()
    // Errors are thrown, and printed in one place for all.
    .configureOutput({ outputError: () => {} })
  addDemo(rowtap, commands)
  addTail(rowtap, (options) => commands.tail(options), environment)
  addDoctor(rowtap, (options) => commands.doctor(options), environment)
  addUninstall(rowtap, (options) => commands.uninstall(options), environment)
  addCapabilities(rowtap, commands)
  return rowtap
}

function addDemo(rowtap: Command, commands: Commands): void {
  const demo = rowtap
    .command('demo')
    .description('a small shop in a PostgreSQL of its own, and its changes on the screen; leaves nothing behind')
    .option('--seconds <n>', 'how long the shop is open', positiveInteger('--seconds'), 10)
    .action((options: DemoOptions) => commands.demo({ seconds: options.seconds }))
  givenOnce(demo)
}

function addCapabilities(rowtap: Command, commands: Commands): void {
  rowtap
    .command('capabilities')
    .description('what each driver can do')
    .option('--json', 'as one JSON object')
    .action((options: Partial<CapabilitiesOptions>) => commands.capabilities({ json: options.json === true }))
}

function ownVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
  return typeof manifest === 'object' && manifest !== null && 'version' in manifest
    ? String(manifest.version)
    : 'unknown'
}
