import { readFileSync } from 'node:fs'

import { OPERATIONS } from '@rowtap/core'
import type { TableName } from '@rowtap/core'
import { Command } from 'commander'

import { columnList } from './arguments/column-list.ts'
import { conditionText } from './arguments/condition-text.ts'
import { connectionUrl } from './arguments/connection-url.ts'
import { givenOnce } from './arguments/given-once.ts'
import { oneOf, someOf } from './arguments/one-of.ts'
import { positiveInteger } from './arguments/positive-integer.ts'
import { addTable } from './arguments/table-list.ts'
import type { CapabilitiesOptions } from './commands/capabilities.ts'
import { addDoctor } from './command-line/add-doctor.ts'
import { addUninstall } from './command-line/add-uninstall.ts'
import type { DemoOptions } from './commands/demo.ts'
import type { DoctorOptions } from './commands/doctor.ts'
import type { TailOptions } from './commands/tail.ts'
import type { UninstallOptions } from './commands/uninstall.ts'
import { DRIVER_NAMES } from './drivers/known-drivers.ts'
import { UsageError } from './failure/usage-error.ts'
import { VALUE_FORMS } from './format/value-types.ts'

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
  addTail(rowtap, commands, environment)
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

/** The options of `tail` as Commander hands them over. */
interface TailFlags extends Omit<Partial<TailOptions>, 'operations' | 'tables'> {
  readonly table?: readonly TableName[]
  readonly on?: TailOptions['operations']
}

function addTail(rowtap: Command, commands: Commands, environment: NodeJS.ProcessEnv): void {
  const tail = rowtap
    .command('tail')
    .description('changes as they happen')
    .option('--url <url>', 'the database, as postgresql://user@host:5432/database (default: $DATABASE_URL)')
    .option('--table <name>', 'a table, written as in SQL; may be given more than once', addTable)
    .option(
      '--driver <name>',
      DRIVER_NAMES.join(' or '),
      (text) => oneOf('--driver', DRIVER_NAMES, text),
      DRIVER_NAMES[0],
    )
    .option('--on <kinds>', `only these, of ${OPERATIONS.join(',')}`, (text) => someOf('--on', OPERATIONS, text))
    .option('--columns <names>', 'only these columns, written as in SQL: id,"Mixed Case"', columnList)
    .option('--where <condition>', 'only rows that fulfil this condition, where the driver can', conditionText)
    .option('--subscription <name>', 'continue where the subscription of this name ended, where the driver can')
    .option(
      '--transitions <how>',
      'exact (default): refuse a table whose old rows are needed and not known, or idempotent: do without them',
      (text) => oneOf('--transitions', ['exact', 'idempotent'], text),
    )
    .option('--snapshot', 'begin with the rows that are there, where the driver can')
    .option('--json', 'one JSON object a line')
    .option(
      '--values <form>',
      'with --json: json (default), or text for each value as PostgreSQL prints it, so that nothing is lost',
      (text) => oneOf('--values', VALUE_FORMS, text),
    )
    .option('--plan', 'print what would be done, with every statement, and do nothing')
    .option('--limit <n>', 'end after this many changes', positiveInteger('--limit'))
    .addHelpText('after', TAIL_NOTES)
    .action(({ url, table = [], on, ...flags }: TailFlags) => {
      if (table.length === 0) throw new UsageError('a table is needed: give --table, for example --table public.orders')
      if (flags.values !== undefined && flags.json !== true) throw new UsageError('--values goes with --json')
      const { driver = 'wal', json = false, values = VALUE_FORMS[0], ...rest } = flags
      const operations = on === undefined ? {} : { operations: on }
      return commands.tail({
        ...rest,
        ...operations,
        url: connectionUrl(url, environment),
        tables: table,
        driver,
        json,
        values,
      })
    })
  givenOnce(tail, ['--table'])
}

function addCapabilities(rowtap: Command, commands: Commands): void {
  rowtap
    .command('capabilities')
    .description('what each driver can do')
    .option('--json', 'as one JSON object')
    .action((options: Partial<CapabilitiesOptions>) => commands.capabilities({ json: options.json === true }))
}

const TAIL_NOTES = `
The line on standard error that begins with "ready" says that every later change
will be printed. Ctrl-C prints what has arrived, and ends.
Exit codes: 0; 2 for a wrong command line; 1 for any other failure.

Values with --json: dates and intervals are ISO 8601, bytes are \\x and
hexadecimal; bigint, numeric and what JSON has no number for (NaN, Infinity) are
strings; a date that JavaScript cannot hold is what PostgreSQL prints. Integers
beyond 2^53 in JSON columns lose digits: --values text loses nothing.

Examples:
  rowtap tail --url postgresql://localhost/shop --table orders
  rowtap tail --table orders --table invoices --on insert --json | jq .new`

function ownVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
  return typeof manifest === 'object' && manifest !== null && 'version' in manifest
    ? String(manifest.version)
    : 'unknown'
}
