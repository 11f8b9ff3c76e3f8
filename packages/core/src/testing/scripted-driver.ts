import type { Capabilities } from '../capabilities/capabilities.ts'
import type { EveryCondition } from '../capabilities/every-condition.ts'
import { CONDITIONS_IN_PROCESS } from '../capabilities/every-condition.ts'
import type { BaseType } from '../conditions/column-type.ts'
import type { NormaliseConstants } from '../conditions/normalise-constants.ts'
import type {
  CaptureRequest,
  Change,
  ChangeBatch,
  Driver,
  DriverHost,
  DriverSession,
  Transaction,
} from '../contract/driver.ts'
import type { LogicalMessage } from '../contract/logical-message.ts'
import { position } from '../contract/position.ts'
import type { Position } from '../contract/position.ts'
import type { Relation, Tuple } from '../contract/relation.ts'
import type { SnapshotSource } from '../contract/snapshot-source.ts'
import type { TableName } from '../contract/table-name.ts'
import { formatTableName } from '../contract/table-name.ts'
import { RowtapError } from '../rowtap-error.ts'

/** A manifest in which everything is there that a test does not take away. */
export const SCRIPTED_CAPABILITIES: {
  readonly driver: 'scripted'
  readonly operations: {
    readonly insert: 'database'
    readonly update: 'database'
    readonly delete: 'database'
    readonly truncate: 'database'
  }
  readonly conditions: EveryCondition<'process'>
  readonly columns: { readonly projection: 'process'; readonly onlyChanged: 'process' }
  readonly rows: {
    readonly old: 'database'
    readonly oldWithoutSetup: 'database'
    readonly unchangedLargeValues: 'database'
  }
  readonly keys: { readonly change: 'process'; readonly declared: 'process' }
  readonly transitions: { readonly exact: 'process'; readonly idempotent: 'process' }
  readonly order: { readonly row: 'database'; readonly transaction: 'database'; readonly commit: 'database' }
  readonly transactions: { readonly id: 'database'; readonly commitTime: 'database' }
  readonly delivery: { readonly acknowledgement: 'database'; readonly subscription: false; readonly reconnect: false }
  readonly listeners: { readonly attachWhileRunning: 'database'; readonly withoutRows: 'process' }
  readonly snapshot: { readonly initial: 'database' }
  readonly messages: { readonly logical: 'database' }
} = {
  driver: 'scripted',
  operations: { insert: 'database', update: 'database', delete: 'database', truncate: 'database' },
  conditions: CONDITIONS_IN_PROCESS,
  columns: { projection: 'process', onlyChanged: 'process' },
  rows: { old: 'database', oldWithoutSetup: 'database', unchangedLargeValues: 'database' },
  keys: { change: 'process', declared: 'process' },
  transitions: { exact: 'process', idempotent: 'process' },
  order: { row: 'database', transaction: 'database', commit: 'database' },
  transactions: { id: 'database', commitTime: 'database' },
  delivery: { acknowledgement: 'database', subscription: false, reconnect: false },
  listeners: { attachWhileRunning: 'database', withoutRows: 'process' },
  snapshot: { initial: 'database' },
  messages: { logical: 'database' },
}

/** A row's values as text, in the order of the relation's columns; `undefined` was not sent. */
export type Values = readonly (string | null | undefined)[]

/** A change in a script: everything else is filled in. */
export interface ScriptedChange {
  readonly kind: Change['kind']
  readonly relation?: Relation
  readonly new?: Values
  readonly old?: Values
  readonly transaction?: Transaction
}

/** The type `text` under the collation C. */
export const TEXT: BaseType = {
  kind: 'base',
  castName: '"pg_catalog"."text"',
  displayName: 'text',
  name: 'text',
  collation: { name: 'C', order: 'code point', asciiCase: true },
}

/** A table of text columns, the first of them its primary key. */
export function textRelation(name: string, columns: readonly string[], overrides: Partial<Relation> = {}): Relation {
  return {
    schema: 'public',
    name,
    columns: columns.map((column) => ({
      name: column,
      type: TEXT,
      mayBeUnavailable: true,
      neverSent: null,
      typeOid: 25,
      typeName: 'text',
      parse: (text) => text,
    })),
    primaryKey: [0],
    oldColumns: 'all',
    oldRowsStatement: null,
    ...overrides,
  }
}

/** A driver whose changes a test makes up, to hold core's own promises against. It stands for no database. */
export class ScriptedDriver<C extends Capabilities = typeof SCRIPTED_CAPABILITIES> implements Driver<C> {
  readonly specification = 1
  readonly name = 'scripted'
  readonly capabilities: C
  readonly relations: readonly Relation[]
  /** What core asked to capture, call by call. */
  readonly captured: (readonly CaptureRequest[])[] = []
  /** What core acknowledged, in order. */
  readonly acknowledged: Position[] = []
  /** The ids of changes that core gave memory of their own. */
  readonly detached: string[] = []
  opened = 0
  closed = 0
  /** How many batches core has taken. */
  taken = 0
  /** How many of them core has released: whoever reads a row of one after that fails. */
  released = 0
  host: DriverHost | null = null
  /** What sessions say that their subscription captured before. */
  resumed: readonly CaptureRequest[] = []
  /** What sessions read tables with; `null`: they cannot. */
  snapshots: SnapshotSource | null = null
  /** Called by `capture`; may wait or throw. */
  onCapture: (requests: readonly CaptureRequest[]) => Promise<void> | void = () => undefined
  /** What sessions wait for before a signal is told; `null`: nothing. */
  untilVisible: (() => Promise<void>) | null = null
  /** Called by `normalise`: a text's constants are what they are. */
  onNormalise: NormaliseConstants = (constants) => Promise.resolve(constants.map(({ text }) => ({ text })))
  readonly #waiting: ChangeBatch[] = []
  #wake: (() => void) | null = null
  #failure: Error | null = null
  #count = 0

  constructor(relations: readonly Relation[], capabilities: C) {
    this.relations = relations
    this.capabilities = capabilities
  }

  async open(host: DriverHost): Promise<DriverSession> {
    this.opened += 1
    this.host = host
    await Promise.resolve()
    return {
      resumed: this.resumed,
      ...(this.snapshots === null ? {} : { snapshots: this.snapshots }),
      ...(this.untilVisible === null ? {} : { untilVisible: this.untilVisible }),
      describe: async (table) => await this.#describe(table),
      normalise: (constants) => this.onNormalise(constants),
      plan: async (requests) => {
        await Promise.resolve()
        return requests.map(({ table, operations }) => ({
          sql: `CAPTURE ${formatTableName(table)} (${[...operations].join(', ')})`,
          purpose: 'Reads the script.',
          table,
        }))
      },
      capture: async (requests) => {
        await this.onCapture(requests)
        this.captured.push(requests)
        return this.#position()
      },
      batches: () => this.#batches(),
      acknowledge: (acknowledged) => {
        this.acknowledged.push(acknowledged)
      },
      close: async () => {
        await Promise.resolve()
        this.closed += 1
        this.#wake?.()
      },
    }
  }

  /** Delivers one batch; returns the changes as core gets them. */
  deliver(changes: readonly ScriptedChange[], bytes: number = changes.length * 100): readonly Change[] {
    const transaction = { id: `t${this.#count + 1}`, commitTime: new Date(0) }
    const memory = { isReleased: false }
    const delivered = changes.map((change) => this.#change(change, transaction, memory))
    this.#push(delivered, bytes, memory)
    return delivered
  }

  /** Delivers a change as it was delivered before. */
  repeat(change: Change | undefined): void {
    if (change === undefined) throw new Error('there is no such change')
    this.#waiting.push({ changes: [change], bytes: 100 })
    this.#wake?.()
  }

  /** Delivers changes that a test has made itself. */
  pass(changes: readonly Change[]): void {
    const memory = { isReleased: false }
    const within = (tuple: Tuple | null): Tuple | null => tuple && readable((index) => tuple.text(index), memory)
    const own = changes.map((change) => ({ ...change, new: within(change.new), old: within(change.old) }))
    this.#push(own, changes.length * 100, memory)
  }

  /** Delivers a message, after so many changes that the test has made. */
  tell(prefix: string, content = ''): LogicalMessage {
    this.#count += 1
    const message: LogicalMessage = {
      prefix,
      content: Buffer.from(content),
      transactional: false,
      transaction: null,
      id: `m${this.#count}`,
      position: this.#position(),
    }
    const last = this.#waiting.at(-1)
    if (last === undefined) {
      this.#waiting.push({ changes: [], messages: [{ at: 0, message }], bytes: 100 })
    } else {
      // Behind what waits, in the same batch.
      const placed = { at: last.changes.length, message }
      this.#waiting[this.#waiting.length - 1] = { ...last, messages: [...(last.messages ?? []), placed] }
    }
    this.#wake?.()
    return message
  }

  /** Ends the stream with an error. */
  fail(error: Error): void {
    this.#failure = error
    this.#wake?.()
  }

  #push(changes: readonly Change[], bytes: number, memory: Memory): void {
    const release = (): void => {
      if (memory.isReleased) throw new Error('The batch was released before.')
      memory.isReleased = true
      this.released += 1
    }
    this.#waiting.push({ changes, bytes, release })
    this.#wake?.()
  }

  #change(scripted: ScriptedChange, transaction: Transaction, memory: Memory): Change {
    this.#count += 1
    const relation = scripted.relation ?? this.relations[0]
    if (relation === undefined) throw new Error('the script has no relation')
    const id = `c${this.#count}`
    const change: Change = {
      kind: scripted.kind,
      relation,
      new: tuple(scripted.new, memory),
      old: tuple(scripted.old, memory),
      transaction: scripted.transaction ?? transaction,
      id,
      position: this.#position(),
    }
    return {
      ...change,
      detach: () => {
        this.detached.push(id)
        const own = { isReleased: false }
        return { ...change, new: tuple(scripted.new, own), old: tuple(scripted.old, own) }
      },
    }
  }

  #position(): Position {
    return position(String(this.#count).padStart(8, '0'))
  }

  async #describe(table: TableName): Promise<Relation> {
    await Promise.resolve()
    const found = this.relations.find(({ schema, name }) => schema === table.schema && name === table.name)
    if (found !== undefined) return found
    throw new RowtapError('ERR_SETUP_REQUIRED', { message: `There is no table ${table.schema}.${table.name}.` })
  }

  async *#batches(): AsyncGenerator<ChangeBatch> {
    while (this.closed === 0) {
      const batch = this.#waiting.shift()
      if (batch !== undefined) {
        this.taken += 1
        yield batch
      } else if (this.#failure !== null) {
        throw this.#failure
      } else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve
        })
      }
    }
  }
}

/** What the rows of one batch lie in. */
interface Memory {
  isReleased: boolean
}

function tuple(values: Values | undefined, memory: Memory): Tuple | null {
  return values === undefined ? null : readable((index) => values[index], memory)
}

function readable(text: Tuple['text'], memory: Memory): Tuple {
  return {
    text: (index) => {
      if (memory.isReleased) throw new Error('A row was read after its batch was released.')
      return text(index)
    },
  }
}
