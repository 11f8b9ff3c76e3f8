import type { Capabilities, CapabilityName, Operation } from '../capabilities/capabilities.ts'
import { cellOf, OPERATIONS } from '../capabilities/capabilities.ts'
import type { ConditionSource } from '../conditions/condition-source.ts'
import { isConditionSource } from '../conditions/condition-source.ts'
import { conditionOf } from '../conditions/condition-of.ts'
import type { Condition } from '../conditions/condition.ts'
import type { TableName } from '../contract/table-name.ts'
import { parseTableName } from '../contract/table-name.ts'
import { checkCapability } from './check-capability.ts'
import { checkCondition } from './check-condition.ts'
import { checkOptionNames, invalidOptions } from './check-option-names.ts'
import type { DeliveryRequest } from './delivery-request.ts'
import { deliveryRequest } from './delivery-request.ts'
import { didYouMean } from './nearest-name.ts'
import { oneOf, wholeNumber } from './option-values.ts'
import { wantsRows } from './rows-option.ts'
import { shownValue, valueKind } from './value-kind.ts'

/** A listener's options, checked as far as that goes without a database, with every default filled in. */
export interface ListenRequest extends DeliveryRequest {
  readonly table: TableName
  /** One object for each set of operations: listeners that want the same have the same. */
  readonly operations: ReadonlySet<Operation>
  /** Whether its events have rows; otherwise they are signals. */
  readonly rows: boolean
  /** `null`: all columns. */
  readonly columns: readonly string[] | null
  /** `null`: the primary key, or every column where there is none. */
  readonly key: readonly string[] | null
  /** `null`: every row. A source becomes a condition when the listener is attached. */
  readonly where: Condition | ConditionSource | null
  readonly transitions: 'exact' | 'idempotent'
  /** Whether the listener begins with the rows that its table has. */
  readonly snapshot: boolean
  readonly bufferBytes: number
  readonly signal: AbortSignal | null
}

const DEFAULT_BUFFER_BYTES = 4 * 1024 * 1024

/** Options that depend on a capability as a whole. `operations` depends on one for each of its words. */
const NEEDED: Readonly<Record<'where' | 'columns' | 'key' | 'snapshot', CapabilityName>> = {
  where: 'conditions.where',
  columns: 'columns.projection',
  key: 'keys.declared',
  snapshot: 'snapshot.initial',
}

const NAMES = [
  'table',
  'operations',
  'rows',
  'columns',
  'key',
  'where',
  'transitions',
  'snapshot',
  'bufferBytes',
  'concurrency',
  'orderBy',
  'retry',
  'onFailure',
  'ack',
  'signal',
]

/**
 * Checks what the type system would have, for callers without it.
 *
 * @throws RowtapError ERR_INVALID_OPTIONS, ERR_CAPABILITY_UNSUPPORTED
 */
export function listenRequest(capabilities: Capabilities, options: unknown): ListenRequest {
  checkOptionNames('listen()', options, NAMES)
  const given: Readonly<Record<string, unknown>> = { ...options }
  const rows = wantsRows(capabilities, given)
  for (const [option, capability] of Object.entries(NEEDED)) {
    if (given[option] !== undefined) checkCapability(capabilities, capability, `the option '${option}'`)
  }
  if ('where' in given && given['where'] === undefined) {
    // A condition that is missing by mistake must not widen what a listener gets.
    throw invalidOptions(`'where' is undefined: leave it out to have every row.`)
  }
  const delivery = deliveryRequest(given)
  return {
    table: table(given['table']),
    operations: operations(capabilities, given['operations']),
    rows,
    columns: names('columns', given['columns']),
    key: names('key', given['key']),
    where: where(capabilities, given['where']),
    transitions: transitions(capabilities, given['transitions']),
    snapshot: given['snapshot'] !== undefined && oneOf('snapshot', given['snapshot'], ['initial']) === 'initial',
    bufferBytes: wholeNumber('bufferBytes', given['bufferBytes'], DEFAULT_BUFFER_BYTES),
    // One by one: an object that another is spread into is larger.
    concurrency: delivery.concurrency,
    orderBy: delivery.orderBy,
    retry: delivery.retry,
    onFailure: delivery.onFailure,
    ack: delivery.ack,
    signal: abortSignal('listen()', given['signal']),
  }
}

/**
 * Checks the options of listeners that are planned.
 *
 * @throws RowtapError ERR_INVALID_OPTIONS, ERR_CAPABILITY_UNSUPPORTED
 */
export function listenRequests(capabilities: Capabilities, listeners: unknown): readonly ListenRequest[] {
  if (!Array.isArray(listeners))
    throw invalidOptions(`plan() takes a list of listeners' options, and not ${valueKind(listeners)}.`)
  return listeners.map((options: unknown) => listenRequest(capabilities, options))
}

/** Checks a `signal` option. */
export function abortSignal(where: string, given: unknown): AbortSignal | null {
  if (given === undefined) return null
  if (given instanceof AbortSignal) return given
  throw invalidOptions(`${where} takes an AbortSignal as 'signal', and not ${valueKind(given)}.`)
}

/** The last name that was read: many listeners of one table share it. */
let lastName: { readonly text: string; readonly table: TableName } | null = null

function table(given: unknown): TableName {
  if (typeof given === 'string') {
    if (lastName?.text !== given) lastName = { text: given, table: parseTableName(given) }
    return lastName.table
  }
  if (typeof given === 'object' && given !== null && 'schema' in given && 'name' in given) {
    const { schema, name } = given
    if (typeof schema === 'string' && schema !== '' && typeof name === 'string' && name !== '') return { schema, name }
  }
  throw invalidOptions(`listen() needs a 'table': its name as in SQL ("public.orders"), or { schema, name }.`)
}

function where(capabilities: Capabilities, given: unknown): Condition | ConditionSource | null {
  if (given === undefined) return null
  if (isConditionSource(given)) return given
  const condition = conditionOf(given)
  checkCondition(capabilities, condition)
  return condition
}

function transitions(capabilities: Capabilities, given: unknown): 'exact' | 'idempotent' {
  if (given === undefined) return capabilities.transitions.exact === false ? 'idempotent' : 'exact'
  const wanted = oneOf('transitions', given, ['exact', 'idempotent'])
  checkCapability(capabilities, `transitions.${wanted}`, `transitions: '${wanted}'`)
  return wanted
}

const OPERATION_SETS = new Map<string, ReadonlySet<Operation>>()

function operationSet(wanted: ReadonlySet<Operation>): ReadonlySet<Operation> {
  const operations = OPERATIONS.filter((operation) => wanted.has(operation))
  const name = operations.join()
  const known = OPERATION_SETS.get(name) ?? new Set(operations)
  OPERATION_SETS.set(name, known)
  return known
}

function operations(capabilities: Capabilities, given: unknown): ReadonlySet<Operation> {
  if (given === undefined) {
    return operationSet(
      new Set(OPERATIONS.filter((operation) => cellOf(capabilities, `operations.${operation}`) !== false)),
    )
  }
  if (!Array.isArray(given) || given.length === 0) {
    throw invalidOptions(
      `'operations' takes a list of one or more of ${OPERATIONS.join(', ')}, and not ${emptyOr(given)}.`,
    )
  }
  const wanted = new Set<Operation>()
  for (const word of given) {
    const operation = OPERATIONS.find((known) => known === word)
    if (operation === undefined) {
      const hint = typeof word === 'string' ? didYouMean(word, OPERATIONS) : ''
      throw invalidOptions(`${shownValue(word)} is not an operation: they are ${OPERATIONS.join(', ')}.${hint}`)
    }
    checkCapability(capabilities, `operations.${operation}`, `the operation '${operation}'`)
    wanted.add(operation)
  }
  return operationSet(wanted)
}

/** What was given in place of a list with something in it. */
function emptyOr(given: unknown): string {
  return Array.isArray(given) ? 'an empty one' : valueKind(given)
}

function names(option: string, given: unknown): readonly string[] | null {
  if (given === undefined) return null
  if (!Array.isArray(given) || given.length === 0)
    throw invalidOptions(`'${option}' takes a list of one or more column names, and not ${emptyOr(given)}.`)
  const list: string[] = []
  for (const name of given) {
    if (typeof name !== 'string' || name === '')
      throw invalidOptions(`'${option}' takes column names, and ${shownValue(name)} is none.`)
    if (!list.includes(name)) list.push(name)
  }
  return list
}
