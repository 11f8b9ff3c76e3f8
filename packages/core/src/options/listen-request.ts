import type { Capabilities, CapabilityName, Operation } from '../capabilities/capabilities.ts'
import { cellOf, OPERATIONS } from '../capabilities/capabilities.ts'
import type { TableName } from '../contract/table-name.ts'
import { parseTableName } from '../contract/table-name.ts'
import { checkCapability } from './check-capability.ts'
import { checkOptionNames, invalidOptions } from './check-option-names.ts'
import { didYouMean } from './nearest-name.ts'

/** A listener's options, checked as far as that goes without a database, with every default filled in. */
export interface ListenRequest {
  readonly table: TableName
  readonly operations: ReadonlySet<Operation>
  /** `null`: all columns. */
  readonly columns: readonly string[] | null
  /** `null`: the primary key, or every column where there is none. */
  readonly key: readonly string[] | null
  readonly transitions: 'exact' | 'idempotent'
  readonly bufferBytes: number
  readonly signal: AbortSignal | null
}

const DEFAULT_BUFFER_BYTES = 4 * 1024 * 1024

/** Options that depend on a capability as a whole. `operations` depends on one for each of its words. */
const NEEDED: Readonly<Record<'where' | 'columns' | 'key', CapabilityName>> = {
  where: 'conditions.where',
  columns: 'columns.projection',
  key: 'keys.declared',
}

const NAMES = ['table', 'operations', 'columns', 'key', 'where', 'transitions', 'bufferBytes', 'signal']

/**
 * Checks what the type system would have, for callers without it.
 *
 * @throws RowtapError ERR_INVALID_OPTIONS, ERR_CAPABILITY_UNSUPPORTED
 */
export function listenRequest(capabilities: Capabilities, options: unknown): ListenRequest {
  checkOptionNames('listen()', options, NAMES)
  const given: Readonly<Record<string, unknown>> = { ...options }
  for (const [option, capability] of Object.entries(NEEDED)) {
    if (given[option] !== undefined) checkCapability(capabilities, capability, `the option '${option}'`)
  }
  return {
    table: table(given['table']),
    operations: operations(capabilities, given['operations']),
    columns: names('columns', given['columns']),
    key: names('key', given['key']),
    transitions: transitions(given['transitions']),
    bufferBytes: bufferBytes(given['bufferBytes']),
    signal: abortSignal('listen()', given['signal']),
  }
}

/** Checks a `signal` option. */
export function abortSignal(where: string, given: unknown): AbortSignal | null {
  if (given === undefined) return null
  if (given instanceof AbortSignal) return given
  throw invalidOptions(`${where} takes an AbortSignal as 'signal'.`)
}

function table(given: unknown): TableName {
  if (typeof given === 'string') return parseTableName(given)
  if (typeof given === 'object' && given !== null && 'schema' in given && 'name' in given) {
    const { schema, name } = given
    if (typeof schema === 'string' && schema !== '' && typeof name === 'string' && name !== '') return { schema, name }
  }
  throw invalidOptions(`listen() needs a 'table': its name as in SQL ("public.orders"), or { schema, name }.`)
}

function operations(capabilities: Capabilities, given: unknown): ReadonlySet<Operation> {
  if (given === undefined) {
    return new Set(OPERATIONS.filter((operation) => cellOf(capabilities, `operations.${operation}`) !== false))
  }
  if (!Array.isArray(given) || given.length === 0) {
    throw invalidOptions(`'operations' takes a list of one or more of ${OPERATIONS.join(', ')}.`)
  }
  const wanted = new Set<Operation>()
  for (const word of given) {
    const operation = OPERATIONS.find((known) => known === word)
    if (operation === undefined) {
      const hint = typeof word === 'string' ? didYouMean(word, OPERATIONS) : ''
      throw invalidOptions(`${JSON.stringify(word)} is not an operation: they are ${OPERATIONS.join(', ')}.${hint}`)
    }
    checkCapability(capabilities, `operations.${operation}`, `the operation '${operation}'`)
    wanted.add(operation)
  }
  return wanted
}

function names(option: string, given: unknown): readonly string[] | null {
  if (given === undefined) return null
  if (!Array.isArray(given) || given.length === 0)
    throw invalidOptions(`'${option}' takes a list of one or more column names.`)
  const list: string[] = []
  for (const name of given) {
    if (typeof name !== 'string' || name === '')
      throw invalidOptions(`'${option}' takes column names, and ${JSON.stringify(name)} is none.`)
    if (!list.includes(name)) list.push(name)
  }
  return list
}

function transitions(given: unknown): 'exact' | 'idempotent' {
  if (given === undefined) return 'exact'
  if (given === 'exact' || given === 'idempotent') return given
  throw invalidOptions(`'transitions' is 'exact' or 'idempotent', not ${JSON.stringify(given)}.`)
}

function bufferBytes(given: unknown): number {
  if (given === undefined) return DEFAULT_BUFFER_BYTES
  if (typeof given === 'number' && Number.isSafeInteger(given) && given > 0) return given
  throw invalidOptions(`'bufferBytes' is a whole number of bytes greater than 0.`)
}
