import type { TableName } from '../contract/table-name.ts'
import type { SnapshotRun } from './snapshot-run.ts'
import type { PastChanges, StoredSnapshot } from './stored-snapshot.ts'
import { progressText, storedRanges } from './stored-snapshot.ts'

/** How often progress is kept at most, in milliseconds. */
const SAVE_MS = 1000

/** Where progress is kept. */
export interface ProgressHost {
  save(text: string): Promise<void>
  /** Up to where changes are past now. */
  past(): Promise<PastChanges>
  failed(error: unknown): void
}

/** What is kept for listeners that are not there: `'absent'`, for those that have not come yet; `'all'`, also for those that have ended. */
export type ForgottenProgress = 'absent' | 'all'

interface Known {
  readonly name: string
  readonly table: TableName
}

/** Keeps with a durable subscription how far its listeners' snapshots are: at most once a second, and when it matters. */
export class SnapshotProgress {
  readonly #host: ProgressHost
  readonly #runs = new Map<SnapshotRun, Known>()
  /** Those of them whose listeners take no further changes. */
  readonly #left = new Set<SnapshotRun>()
  /** What is kept for listeners that are not there yet. Two that want the same are told apart by their order. */
  #unclaimed: StoredSnapshot[]
  #saved: string | null = null
  /** Whether what was kept is to be kept again, also where it is the same. */
  #isOutdated = false
  #timer: NodeJS.Timeout | null = null
  #turn: Promise<void> = Promise.resolve()
  #isClosed = false

  constructor(kept: readonly StoredSnapshot[], host: ProgressHost) {
    this.#unclaimed = [...kept]
    this.#host = host
  }

  /** What is kept for a listener that comes; `null` where nothing is. */
  claim(name: string): StoredSnapshot | null {
    const index = this.#unclaimed.findIndex((kept) => kept.name === name)
    return this.#unclaimed.splice(index, index < 0 ? 0 : 1)[0] ?? null
  }

  add(run: SnapshotRun, name: string, table: TableName): void {
    this.#runs.set(run, { name, table })
  }

  async remove(run: SnapshotRun): Promise<void> {
    this.#left.delete(run)
    if (this.#runs.delete(run) && !this.#isClosed) await this.save()
  }

  /** The run's listener ends, and may come back: how far it comes is kept until a change of its table passes it by. */
  leave(run: SnapshotRun): void {
    if (this.#runs.has(run)) this.#left.add(run)
  }

  /** Whether something is kept for a listener that is not there. */
  get hasUnclaimed(): boolean {
    return this.#unclaimed.length > 0 || this.#left.size > 0
  }

  /** Whether something is kept for a listener of this table that is not there. */
  isUnclaimed(table: TableName): boolean {
    return this.#unclaimed.some((kept) => isSame(kept.table, table)) || this.#leftOf([table]).length > 0
  }

  /** Keeps nothing for listeners of these tables that are not there. Resolves when that is kept. */
  async forget(tables: readonly TableName[], whose: ForgottenProgress = 'all'): Promise<void> {
    const left = whose === 'all' ? this.#leftOf(tables) : []
    const unclaimed = this.#unclaimed.filter((kept) => !tables.some((table) => isSame(kept.table, table)))
    if (left.length === 0 && unclaimed.length === this.#unclaimed.length) return
    this.#unclaimed = unclaimed
    for (const run of left) {
      this.#left.delete(run)
      this.#runs.delete(run)
    }
    await this.save()
  }

  /** Changes of these tables, or of any (`null`), were missed: nothing holds that is kept for listeners of them that are not there. */
  missed(tables: readonly TableName[] | null): void {
    if (this.#isClosed || (this.#saved === null && this.#runs.size === 0 && !this.hasUnclaimed)) return
    // The source may know by the moment at which it was kept that it holds, and so does not take what was kept before for it.
    this.#isOutdated = true
    const left = [...this.#left].flatMap((run) => this.#runs.get(run)?.table ?? [])
    const known = [...left, ...this.#unclaimed.map(({ table }) => table)]
    this.forget(known.filter((table) => tables === null || tables.some((one) => isSame(one, table))))
      .then(() => this.save())
      .catch((error: unknown) => this.#host.failed(error))
  }

  /** Something has come further. */
  changed(): void {
    if (this.#timer !== null || this.#isClosed) return
    this.#timer = setTimeout(() => {
      this.#timer = null
      this.save().catch((error: unknown) => this.#host.failed(error))
    }, SAVE_MS)
  }

  /** Resolves when what is so now is kept. */
  save(): Promise<void> {
    const saved = this.#turn.then(() => this.#save())
    this.#turn = saved.catch(() => undefined)
    return saved
  }

  /** Keeps what is so now, and nothing later. */
  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    if (this.#timer !== null) clearTimeout(this.#timer)
    // What is being kept now needs the session.
    await this.#turn
    if (this.#saved !== null) await this.save()
  }

  #leftOf(tables: readonly TableName[]): readonly SnapshotRun[] {
    return [...this.#left].filter((run) => {
      const known = this.#runs.get(run)
      return known !== undefined && tables.some((table) => isSame(known.table, table))
    })
  }

  async #save(): Promise<void> {
    const past = await this.#host.past()
    const running = [...this.#runs].map(([run, { name, table }]): StoredSnapshot => ({
      name,
      table,
      ranges: storedRanges(run.ranges, past),
    }))
    // What depends on changes that may still come is looked at again.
    const isWaiting = [...this.#runs.keys()].some(({ ranges }) =>
      ranges.some(({ kept }) => kept !== null && !past.settled(kept.until)),
    )
    if (isWaiting) this.changed()
    const text = progressText([...running, ...this.#unclaimed])
    if (text === this.#saved && !this.#isOutdated) return
    this.#isOutdated = false
    await this.#host.save(text)
    this.#saved = text
  }
}

function isSame(one: TableName, other: TableName): boolean {
  return one.schema === other.schema && one.name === other.name
}
