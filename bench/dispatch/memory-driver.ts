import type {
  BaseType,
  Capabilities,
  Change,
  ChangeBatch,
  Driver,
  DriverSession,
  Position,
  Relation,
} from '@rowtap/core/driver'
import { CONDITIONS_IN_PROCESS, position } from '@rowtap/core/driver'

const CAPABILITIES: Capabilities = {
  driver: 'memory',
  operations: { insert: 'process', update: 'process', delete: 'process', truncate: 'process' },
  conditions: CONDITIONS_IN_PROCESS,
  columns: { projection: 'process', onlyChanged: 'process' },
  rows: { old: 'process', oldWithoutSetup: 'process', unchangedLargeValues: 'process' },
  keys: { change: 'process', declared: 'process' },
  transitions: { exact: 'process', idempotent: 'process' },
  order: { row: 'process', transaction: 'process', commit: 'process' },
  transactions: { id: 'process', commitTime: 'process' },
  delivery: { acknowledgement: 'process', subscription: false, reconnect: false },
  listeners: { attachWhileRunning: 'process', withoutRows: 'process' },
  snapshot: { initial: false },
  messages: { logical: false },
}

const INTEGER: BaseType = baseType('int4', 'integer')
const TEXT: BaseType = {
  ...baseType('text', 'text'),
  collation: { name: 'C', order: 'code point', asciiCase: true },
}

/** A table of orders. */
export const ORDERS: Relation = {
  schema: 'public',
  name: 'orders',
  columns: [
    {
      name: 'id',
      type: INTEGER,
      mayBeUnavailable: false,
      neverSent: null,
      typeOid: 23,
      typeName: 'integer',
      parse: Number,
    },
    {
      name: 'customer_id',
      type: INTEGER,
      mayBeUnavailable: false,
      neverSent: null,
      typeOid: 23,
      typeName: 'integer',
      parse: Number,
    },
    {
      name: 'total',
      type: INTEGER,
      mayBeUnavailable: false,
      neverSent: null,
      typeOid: 23,
      typeName: 'integer',
      parse: Number,
    },
    {
      name: 'status',
      type: TEXT,
      mayBeUnavailable: true,
      neverSent: null,
      typeOid: 25,
      typeName: 'text',
      parse: (text) => text,
    },
    {
      name: 'note',
      type: TEXT,
      mayBeUnavailable: true,
      neverSent: null,
      typeOid: 25,
      typeName: 'text',
      parse: (text) => text,
    },
    {
      name: 'reference',
      type: TEXT,
      mayBeUnavailable: true,
      neverSent: null,
      typeOid: 25,
      typeName: 'text',
      parse: (text) => text,
    },
  ],
  primaryKey: [0],
  oldColumns: 'all',
  oldRowsStatement: null,
}

/** A driver that hands out inserts from memory: what is measured is core. */
export class MemoryDriver implements Driver {
  readonly specification = 1
  readonly name = 'memory'
  readonly capabilities: Capabilities = CAPABILITIES
  #count = 0
  #waiting: ChangeBatch[] = []
  #wake: (() => void) | null = null
  #acknowledged: { readonly position: Position; readonly resolve: () => void } | null = null
  #isClosed = false

  open(): Promise<DriverSession> {
    return Promise.resolve({
      describe: () => Promise.resolve(ORDERS),
      normalise: (constants) => Promise.resolve(constants.map(({ text }) => ({ text }))),
      plan: () => Promise.resolve([]),
      capture: () => Promise.resolve(this.#position()),
      batches: () => this.#batches(),
      acknowledge: (acknowledged) => {
        if (this.#acknowledged !== null && acknowledged >= this.#acknowledged.position) this.#acknowledged.resolve()
      },
      close: () => {
        this.#isClosed = true
        this.#wake?.()
        return Promise.resolve()
      },
    })
  }

  /** Makes batches of inserts, each a transaction of its own, for these customers. */
  prepare(customers: readonly number[], batchSize: number): readonly ChangeBatch[] {
    const batches: ChangeBatch[] = []
    for (let at = 0; at < customers.length; at += batchSize) {
      const changes = customers.slice(at, at + batchSize).map((customer) => this.#insert(customer))
      batches.push({ changes, bytes: changes.length * 100 })
    }
    return batches
  }

  /** Delivers batches. Resolves when all of their changes are acknowledged. */
  async deliver(batches: readonly ChangeBatch[]): Promise<void> {
    const last = batches.at(-1)?.changes.at(-1)
    if (last === undefined) return
    const done = Promise.withResolvers<void>()
    this.#acknowledged = { position: last.position, resolve: done.resolve }
    this.#waiting.push(...batches)
    this.#wake?.()
    await done.promise
    this.#acknowledged = null
  }

  #insert(customer: number): Change {
    this.#count += 1
    const texts = [
      String(this.#count),
      String(customer),
      String(customer),
      'paid',
      'a short note',
      `ref-${this.#count}`,
    ]
    return {
      kind: 'insert',
      relation: ORDERS,
      new: { text: (index) => texts[index] },
      old: null,
      transaction: { id: String(this.#count), commitTime: null },
      id: String(this.#count),
      position: this.#position(),
    }
  }

  #position(): Position {
    return position(String(this.#count).padStart(12, '0'))
  }

  async *#batches(): AsyncGenerator<ChangeBatch> {
    while (!this.#isClosed) {
      const batch = this.#waiting.shift()
      if (batch !== undefined) {
        yield batch
        continue
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }
}

function baseType(name: string, displayName: string): BaseType {
  return { kind: 'base', name, displayName, castName: `"pg_catalog"."${name}"`, collation: null }
}
