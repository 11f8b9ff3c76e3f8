import type {
  ChangeBatch,
  KeyColumn,
  KeyComparison,
  Position,
  SnapshotChunk,
  SnapshotKey,
  SnapshotRequest,
  SnapshotSource,
  TableName,
  Transaction,
} from '@rowtap/core/driver'
import { countBoundaries, formatTableName, Waiting } from '@rowtap/core/driver'
import { SnapshotConnection } from './snapshot-connection.ts'
import type { OpenSnapshotConnection, SnapshotConnectionParts } from './snapshot-connection.ts'
import { snapshotVisibility } from './snapshot-visibility.ts'
import type { TableReading } from './table-reader.ts'
import { factsOf, readableTable, readTablePiece } from './table-reader.ts'
import { snapshotNow, waitUntilVisible } from './wait-until-visible.ts'

/** What {@link WalSnapshots} work with. */
export interface WalSnapshotsParts extends SnapshotConnectionParts, TableReading {
  /** What the subscription has kept; `null` where there is nothing, or its position was lost. */
  readonly resumed: string | null
  /** Whether that holds for a table. */
  readonly resumes: (table: TableName) => boolean
  readonly passed: () => Position | null
  readonly settled: () => Promise<Position | null>
  readonly saveProgress: (text: string) => Promise<void>
}

/** Reads tables, on connections of its own: what the session captures does not wait for it. */
export class WalSnapshots implements SnapshotSource {
  readonly resumed: string | null
  readonly #parts: WalSnapshotsParts
  readonly #rows: SnapshotConnection
  /** Changes wait for keys to be compared, and must not wait for rows to be read. */
  readonly #keys: SnapshotConnection
  /** What was found of the keys that core was given. */
  readonly #columns = new WeakMap<SnapshotKey, readonly KeyColumn[]>()
  readonly #comparisons = new WeakMap<SnapshotKey, string>()

  constructor(parts: WalSnapshotsParts) {
    this.#parts = parts
    this.resumed = parts.resumed
    this.#rows = new SnapshotConnection(parts)
    this.#keys = new SnapshotConnection(parts)
  }

  keyOf(table: TableName, key: readonly string[] | null): Promise<SnapshotKey> {
    return this.#rows.run(`read the key of ${formatTableName(table)}`, async (open) => {
      const found = await readableTable(open, this.#parts, table, key)
      const made: SnapshotKey = { columns: found.key.map(({ name }) => name), estimate: found.estimate }
      this.#columns.set(made, found.key)
      return made
    })
  }

  read(request: SnapshotRequest): Promise<SnapshotChunk> {
    return this.#rows.run(`read the rows of ${formatTableName(request.table)}`, async (open) =>
      readTablePiece(open, this.#parts, request, await this.#columnsOf(open, request.table, request.key)),
    )
  }

  visibility(state: string): (transaction: Transaction) => boolean {
    return snapshotVisibility(state)
  }

  compareKeys({ table, key, keys, boundaries }: KeyComparison): Promise<readonly number[]> {
    return this.#keys.run(`compare keys of ${formatTableName(table)}`, async (open) => {
      const columns = await this.#columnsOf(open, table, key)
      const text = this.#comparisons.get(key) ?? (await comparisonOf(open, this.#parts, table, columns))
      this.#comparisons.set(key, text)
      const lists = [keys, boundaries].flatMap((list) => columns.map((_, index) => list.map((texts) => texts[index])))
      const rows = await open.control.queryRows(text, lists)
      return rows.map(([count]) => Number(count))
    })
  }

  resumes(table: TableName): boolean {
    return this.#parts.resumes(table)
  }

  passed(): Position | null {
    return this.#parts.passed()
  }

  settled(): Promise<Position | null> {
    return this.#parts.settled()
  }

  saveProgress(text: string): Promise<void> {
    return this.#parts.saveProgress(text)
  }

  /** These changes are about to be delivered: what is read from now on is read when they can be seen. */
  yielding(batch: ChangeBatch): void {
    this.#parts.yielded.add(batch)
  }

  /** Resolves when everything that was delivered until now can be seen by whoever reads it. */
  untilVisible(): Promise<void> {
    const { yielded, host } = this.#parts
    return this.#keys.run('look whether changes can be seen', async ({ control }) => {
      const take = (): Promise<string> => snapshotNow(control)
      await waitUntilVisible(control, yielded, new Waiting(host), { take, giveUp: () => Promise.resolve() })
    })
  }

  async #columnsOf(open: OpenSnapshotConnection, table: TableName, key: SnapshotKey): Promise<readonly KeyColumn[]> {
    const known = this.#columns.get(key) ?? (await readableTable(open, this.#parts, table, key.columns)).key
    this.#columns.set(key, known)
    return known
  }

  /** Disconnects. Calls that are under way fail. */
  async close(): Promise<void> {
    await Promise.all([this.#rows.close(), this.#keys.close()])
  }
}

async function comparisonOf(
  { control, relations }: OpenSnapshotConnection,
  { attached }: TableReading,
  table: TableName,
  columns: readonly KeyColumn[],
): Promise<string> {
  return countBoundaries(await relations.ofTable(await factsOf(control, attached, table)), columns)
}
