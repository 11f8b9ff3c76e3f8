import type { Change, Transaction } from '../contract/driver.ts'
import { position } from '../contract/position.ts'
import type { Position } from '../contract/position.ts'
import type { Relation } from '../contract/relation.ts'
import type {
  KeyTexts,
  SnapshotChunk,
  SnapshotKey,
  SnapshotRequest,
  SnapshotSource,
} from '../contract/snapshot-source.ts'
import { textRelation } from './scripted-driver.ts'

/** One statement of a transaction on the model's table. `large`: an update leaves a value alone that is then not sent. */
export type ModelChange =
  | { readonly kind: 'put'; readonly key: string; readonly large?: boolean }
  | { readonly kind: 'remove'; readonly key: string }
  | { readonly kind: 'move'; readonly key: string; readonly to: string }
  | { readonly kind: 'truncate' }

interface Row {
  readonly version: string
  readonly large: string
}

interface Committed {
  readonly transaction: Transaction
  readonly position: Position
  readonly changes: readonly Change[]
  readonly apply: (rows: Map<string, Row>) => void
  readonly keys: ReadonlySet<string> | 'all'
  isVisible: boolean
}

interface Reading {
  readonly request: SnapshotRequest
  readonly resolve: (chunk: SnapshotChunk) => void
}

/**
 * A table in memory that behaves as PostgreSQL's do for whoever reads its log and takes snapshots of it: a transaction is
 * in the log before it is visible, and whoever touches a row of a transaction that is not visible waits for it.
 */
export class ModelTable {
  readonly relation: Relation
  readonly #log: Committed[] = []
  #delivered = 0
  /** How many were ever delivered. */
  #everDelivered = 0
  #versions = 0
  readonly #rows = new Map<string, Row>()
  readonly #readings: Reading[] = []
  /** How many rows a chunk has at most. */
  readonly chunkRows: number
  /** Up to where the source has been told that everything is handled, where a test keeps that apart from what it was told. */
  flushed: Position | null = null
  /** What was kept, text by text. */
  readonly saved: string[] = []
  readonly #sendsOldRows: boolean

  constructor(relation: Partial<Relation> = {}, chunkRows = 2) {
    this.relation = textRelation('t', ['k', 'v', 'large'], { oldColumns: 'all', ...relation })
    this.#sendsOldRows = this.relation.oldColumns === 'all'
    this.chunkRows = chunkRows
  }

  /** The rows as the last transaction left them: version by key. */
  get rows(): ReadonlyMap<string, string> {
    return new Map([...this.#rows].map(([key, { version }]) => [key, version]))
  }

  /** The same, with the large value: a text of both by key. */
  get wholeRows(): ReadonlyMap<string, string> {
    return new Map([...this.#rows].map(([key, { version, large }]) => [key, `${version} ${large}`]))
  }

  get isReading(): boolean {
    return this.#readings.length > 0
  }

  get undelivered(): number {
    return this.#log.length - this.#delivered
  }

  /** Commits a transaction: it is in the log, and not visible yet. */
  commit(statements: readonly ModelChange[]): void {
    const touched = statements.map((one) =>
      one.kind === 'truncate' ? null : one.kind === 'move' ? [one.key, one.to] : [one.key],
    )
    const keys = touched.includes(null) ? 'all' : new Set(touched.flatMap((one) => one ?? []))
    for (const earlier of this.#log) if (meets(earlier.keys, keys)) earlier.isVisible = true
    const number = this.#log.length + 1
    const transaction: Transaction = { id: String(number), commitTime: new Date(0) }
    const steps: ((rows: Map<string, Row>) => void)[] = []
    const changes: Change[] = []
    for (const statement of statements) this.#run(statement, { number, transaction, steps, changes })
    this.#log.push({
      transaction,
      position: placeOf(number, changes.length),
      changes,
      apply: (rows) => {
        for (const step of steps) step(rows)
      },
      keys,
      isVisible: false,
    })
  }

  /** Makes the so-manieth of the transactions visible that are not. */
  show(index: number): void {
    const hidden = this.#log.filter(({ isVisible }) => !isVisible)
    const one = hidden[index % Math.max(1, hidden.length)]
    if (one !== undefined) one.isVisible = true
  }

  /** The next transaction of the log, to be delivered. */
  deliver(): readonly Change[] {
    const next = this.#log[this.#delivered]
    if (next === undefined) return []
    this.#delivered += 1
    this.#everDelivered = Math.max(this.#everDelivered, this.#delivered)
    return next.changes
  }

  /** Where the deliveries are: to be given to {@link rewind}. */
  rewindable(): Position | null {
    return this.#log[this.#delivered - 1]?.position ?? null
  }

  /** Delivers again what comes after a position. */
  rewind(acknowledged: Position | null): void {
    this.#delivered = acknowledged === null ? 0 : this.#log.filter((one) => one.position <= acknowledged).length
    this.#readings.length = 0
  }

  /** Takes a snapshot for the reading that waits, and answers it. */
  answer(): void {
    const reading = this.#readings.shift()
    if (reading === undefined) return
    for (const [index, one] of this.#log.entries()) {
      // What was delivered is waited for; a truncate holds a lock until it is visible.
      if (index < this.#everDelivered || one.keys === 'all') one.isVisible = true
    }
    const visible = this.#log.filter(({ isVisible }) => isVisible)
    const rows = new Map<string, Row>()
    for (const one of visible) one.apply(rows)
    const { after, upTo } = reading.request
    const wanted = [...rows]
      .filter(([key]) => (after === null || key > (after[0] ?? '')) && (upTo === null || key <= (upTo[0] ?? '')))
      .toSorted(([one], [other]) => (one < other ? -1 : 1))
    const chunk = wanted.slice(0, this.chunkRows)
    reading.resolve({
      relation: this.relation,
      rows: chunk.map(([key, { version, large }]) => ({ text: (index) => [key, version, large][index] })),
      bytes: chunk.length * 100,
      isLast: chunk.length === wanted.length,
      state: JSON.stringify(visible.map(({ transaction }) => transaction.id)),
      until: placeOf(this.#log.length, 99),
    })
  }

  /** What a driver's session would have. */
  source(resumed: string | null = null, key: SnapshotKey = { columns: ['k'], estimate: null }): SnapshotSource {
    return {
      resumed,
      keyOf: () => Promise.resolve(key),
      read: (request) =>
        new Promise((resolve) => {
          this.#readings.push({ request, resolve })
        }),
      visibility: (state) => {
        const seen: unknown = JSON.parse(state)
        return ({ id }) => Array.isArray(seen) && seen.includes(id)
      },
      compareKeys: ({ keys, boundaries }) =>
        Promise.resolve(keys.map((one) => boundaries.filter((boundary) => first(boundary) < first(one)).length)),
      passed: () => null,
      settled: () => Promise.resolve(this.flushed),
      saveProgress: (text) => {
        this.saved.push(text)
        return Promise.resolve()
      },
    }
  }

  #run(
    statement: ModelChange,
    made: {
      readonly number: number
      readonly transaction: Transaction
      readonly steps: ((rows: Map<string, Row>) => void)[]
      readonly changes: Change[]
    },
  ): void {
    const { number, transaction, steps, changes } = made
    const add = (
      kind: Change['kind'],
      before: readonly [string, Row] | null,
      after: readonly [string, Row] | null,
    ): void => {
      const step = (rows: Map<string, Row>): void => {
        if (kind === 'truncate') rows.clear()
        if (before !== null) rows.delete(before[0])
        if (after !== null) rows.set(after[0], after[1])
      }
      step(this.#rows)
      steps.push(step)
      const isUnsent = kind === 'update' && before?.[1].large === after?.[1].large && !this.#sendsOldRows
      const place = placeOf(number, changes.length)
      changes.push({
        kind,
        relation: this.relation,
        transaction,
        id: place,
        position: place,
        old: before === null ? null : this.#old(kind, before, after),
        new:
          after === null
            ? null
            : { text: (index) => [after[0], after[1].version, isUnsent ? undefined : after[1].large][index] },
      })
    }
    switch (statement.kind) {
      case 'truncate':
        return add('truncate', null, null)
      case 'remove': {
        const row = this.#rows.get(statement.key)
        return row === undefined ? undefined : add('delete', [statement.key, row], null)
      }
      case 'put': {
        const row = this.#rows.get(statement.key)
        const next = this.#row(row)
        return add(row === undefined ? 'insert' : 'update', row === undefined ? null : [statement.key, row], [
          statement.key,
          next,
        ])
      }
      case 'move': {
        const row = this.#rows.get(statement.key)
        if (row === undefined || this.#rows.has(statement.to)) return undefined
        return add('update', [statement.key, row], [statement.to, this.#row(row)])
      }
    }
  }

  #row(before: Row | undefined): Row {
    this.#versions += 1
    const version = String(this.#versions).padStart(6, '0')
    return { version, large: before?.large ?? `large ${version}` }
  }

  #old(kind: Change['kind'], before: readonly [string, Row], after: readonly [string, Row] | null): Change['old'] {
    const values = [before[0], before[1].version, before[1].large]
    if (this.#sendsOldRows) return { text: (index) => values[index] }
    if (kind === 'update' && before[0] === after?.[0]) return null
    return { text: (index) => (index === 0 ? values[0] : undefined) }
  }
}

function placeOf(transaction: number, change: number): Position {
  return position(`${String(transaction).padStart(6, '0')}/${String(change).padStart(2, '0')}`)
}

function meets(one: ReadonlySet<string> | 'all', other: ReadonlySet<string> | 'all'): boolean {
  if (one === 'all' || other === 'all') return true
  return [...one].some((key) => other.has(key))
}

function first(key: KeyTexts): string {
  return key[0] ?? ''
}
