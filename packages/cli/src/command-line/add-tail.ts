import { OPERATIONS } from '@rowtap/core'
import type { TableName } from '@rowtap/core'
import type { Command } from 'commander'

import { columnList } from '../arguments/column-list.ts'
import { conditionText } from '../arguments/condition-text.ts'
import { connectionUrl } from '../arguments/connection-url.ts'
import { givenOnce } from '../arguments/given-once.ts'
import { oneOf, someOf } from '../arguments/one-of.ts'
import { positiveInteger } from '../arguments/positive-integer.ts'
import { prefixList } from '../arguments/prefix-list.ts'
import { subscriptionName } from '../arguments/subscription-name.ts'
import { addTable } from '../arguments/table-list.ts'
import type { TailOptions } from '../commands/tail.ts'
import type { TriggerFlags, WalFlags } from '../drivers/known-drivers.ts'
import { DRIVER_NAMES } from '../drivers/known-drivers.ts'
import { UsageError } from '../failure/usage-error.ts'
import { VALUE_FORMS } from '../format/value-types.ts'

/** The options as Commander hands them over. */
interface TailFlags extends Omit<Partial<TailOptions>, 'operations' | 'tables' | 'messages' | 'wal' | 'trigger'> {
  readonly table?: readonly TableName[]
  readonly on?: TailOptions['operations']
  /** `true`: without a value. */
  readonly messages?: true | readonly string[]
  readonly replicaIdentity?: 'full'
  readonly pushdown?: 'inserts' | 'conditions'
  readonly streaming?: boolean
}

/** Adds `rowtap tail` to the command line. */
export function addTail(
  rowtap: Command,
  run: (options: TailOptions) => Promise<void>,
  environment: NodeJS.ProcessEnv,
): void {
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
    .option(
      '--subscription <name>',
      'continue where the subscription of this name ended, where the driver can',
      subscriptionName,
    )
    .option(
      '--transitions <how>',
      'exact (default): refuse a table whose old rows are needed and not known, or idempotent: do without them',
      (text) => oneOf('--transitions', ['exact', 'idempotent'], text),
    )
    .option('--signals', 'only that a table has changed, without rows: once for each transaction, or for several')
    .option('--snapshot', 'begin with the rows that are there, where the driver can')
    .option(
      '--messages [prefixes]',
      'also what is written with pg_logical_emit_message, of these prefixes or all, where the driver can',
      prefixList,
    )
    .option('--replica-identity <kind>', 'full: give the tables REPLICA IDENTITY FULL, which stays; wal', (text) =>
      oneOf('--replica-identity', ['full'], text),
    )
    .option(
      '--pushdown <what>',
      'have the database leave out what is not asked for: inserts (of inserts; wal) or conditions (trigger)',
      (text) => oneOf('--pushdown', ['inserts', 'conditions'], text),
    )
    .option('--streaming', 'receive large transactions while they are open; wal')
    .option('--json', 'one JSON object a line')
    .option(
      '--values <form>',
      'with --json: json (default), or text for each value as PostgreSQL prints it, so that nothing is lost',
      (text) => oneOf('--values', VALUE_FORMS, text),
    )
    .option('--plan', 'print what would be done, with every statement, and do nothing')
    .option('--limit <n>', 'end after this many changes', positiveInteger('--limit'))
    .addHelpText('after', NOTES)
    .action((flags: TailFlags) => run(tailOptions(flags, environment)))
  givenOnce(tail, ['--table'])
}

function tailOptions(
  { url, table = [], on, messages, replicaIdentity, pushdown, streaming, ...flags }: TailFlags,
  environment: NodeJS.ProcessEnv,
): TailOptions {
  if (table.length === 0 && messages === undefined) {
    throw new UsageError('a table is needed: give --table, for example --table public.orders')
  }
  if (flags.values !== undefined && flags.json !== true) throw new UsageError('--values goes with --json')
  const ofRows = ROW_FLAGS.find((name) => flags[name] !== undefined)
  if (flags.signals === true && ofRows !== undefined) {
    throw new UsageError(`--signals goes without ${flagOf(ofRows)}: there are no rows`)
  }
  const { driver = 'wal', json = false, values = VALUE_FORMS[0], ...rest } = flags
  const wal: WalFlags = {
    ...(replicaIdentity === undefined ? {} : { replicaIdentity }),
    ...(pushdown === 'inserts' ? { pushdown } : {}),
    ...(streaming === true ? { streaming: 'on' } : {}),
  }
  const [flag] = Object.keys(wal)
  if (flag !== undefined && driver !== 'wal') throw new UsageError(`${flagOf(flag, pushdown)} goes with --driver wal`)
  if (messages !== undefined && streaming === true) {
    throw new UsageError(
      '--messages goes without --streaming: of a large transaction PostgreSQL does not say whether a message was rolled back to a savepoint',
    )
  }
  const trigger: TriggerFlags = pushdown === 'conditions' ? { pushdown } : {}
  if (trigger.pushdown !== undefined && driver !== 'trigger') {
    throw new UsageError(`${flagOf('pushdown', pushdown)} goes with --driver trigger`)
  }
  return {
    ...rest,
    ...(on === undefined ? {} : { operations: on }),
    ...(messages === undefined ? {} : { messages: messages === true ? true : { prefixes: messages } }),
    ...(flag === undefined ? {} : { wal }),
    ...(trigger.pushdown === undefined ? {} : { trigger }),
    url: connectionUrl(url, environment),
    tables: table,
    driver,
    json,
    values,
  }
}

/** Options that concern rows. */
const ROW_FLAGS = ['columns', 'where', 'transitions', 'snapshot', 'values'] as const

function flagOf(option: string, pushdown?: TailFlags['pushdown']): string {
  const flag = `--${option.replaceAll(/[A-Z]/gu, (letter) => `-${letter.toLowerCase()}`)}`
  return option === 'pushdown' ? `${flag} ${pushdown}` : flag
}

const NOTES = `
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
