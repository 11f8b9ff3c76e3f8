import type {
  KeyComparison,
  Position,
  SnapshotChunk,
  SnapshotKey,
  SnapshotRequest,
  SnapshotSource,
  TableName,
  Transaction,
} from '@rowtap/core/driver'
import type { Connection } from '../connection/connection.ts'
import type { PostgresTypes } from '../trigger-options.ts'
import { PieceRelations } from './piece-relations.ts'
import { countBoundaries } from '@rowtap/core/driver'
import type { SnapshotConnectionParts } from './snapshot-connection.ts'
import { SnapshotConnection } from './snapshot-connection.ts'
import { snapshotVisibility } from './snapshot-visibility.ts'
import type { ReadableTable } from './table-facts.ts'
import { readableTable } from './table-facts.ts'
import type { TableReading } from './table-reader.ts'
import { readTablePiece } from './table-reader.ts'

/** What {@link TriggerSnapshots} work with. */
export interface TriggerSnapshotsParts extends SnapshotConnectionParts, TableReading {
  readonly types: PostgresTypes
  /** What the subscription has kept; `null` where there is nothing, or its position was lost. */
  readonly resumed: string | null
  readonly passed: () => Position | null
  readonly saveProgress: (text: string) => Promise<void>
}

/** Reads tables, on connections of its own: what the session captures does not wait for it. */
export class TriggerSnapshots implements SnapshotSource {
  readonly resumed: string | null
  readonly #parts: TriggerSnapshotsParts
  readonly #rows: SnapshotConnection
  /** Changes wait for keys to be compared, and must not wait for rows to be read. */
  readonly #keys: SnapshotConnection
  /** What was found of the keys that core was given. */
  readonly #tables = new WeakMap<SnapshotKey, ReadableTable>()
  readonly #relations = new WeakMap<Connection, PieceRelations>()
  readonly #comparisons = new WeakMap<SnapshotKey, string>()

  constructor(parts: TriggerSnapshotsParts) {
    this.#parts = parts
    this.resumed = parts.resumed
    this.#rows = new SnapshotConnection(parts)
    this.#keys = new SnapshotConnection(parts)
  }

  keyOf(table: TableName, key: readonly string[] | null): Promise<SnapshotKey> {
    return this.#rows.run(async (connection) => {
      const found = await readableTable(connection, this.#parts, table, key)
      const { estimate } = found.facts
      const made: SnapshotKey = {
        columns: found.key.map(({ name }) => name),
        estimate: estimate === null ? null : Number(estimate),
      }
      this.#tables.set(made, found)
      return made
    })
  }

  read(request: SnapshotRequest): Promise<SnapshotChunk> {
    return this.#rows.run(async (connection) => {
      const known = await this.#tableOf(connection, request.table, request.key)
      const { chunk, facts } = await readTablePiece(
        { connection, relations: this.#relationsOf(connection) },
        this.#parts,
        request,
        known,
      )
      this.#tables.set(request.key, { facts, key: known.key })
      return chunk
    })
  }

  visibility(state: string): (transaction: Transaction) => boolean {
    return snapshotVisibility(state)
  }

  compareKeys({ table, key, keys, boundaries }: KeyComparison): Promise<readonly number[]> {
    return this.#keys.run(async (connection) => {
      const known = await this.#tableOf(connection, table, key)
      const text =
        this.#comparisons.get(key) ??
        countBoundaries(await this.#relationsOf(connection).of(connection, known.facts, table), known.key)
      this.#comparisons.set(key, text)
      const lists = [keys, boundaries].flatMap((list) =>
        known.key.map((_, index) => list.map((texts) => texts[index] ?? '')),
      )
      const rows = await connection.texts('', { text: () => text }, lists)
      return rows.map(([count]) => Number(count))
    })
  }

  passed(): Position | null {
    return this.#parts.passed()
  }

  saveProgress(text: string): Promise<void> {
    return this.#parts.saveProgress(text)
  }

  /** Disconnects. Calls that are under way fail. */
  async close(): Promise<void> {
    await Promise.all([this.#rows.close(), this.#keys.close()])
  }

  async #tableOf(connection: Connection, table: TableName, key: SnapshotKey): Promise<ReadableTable> {
    const known = this.#tables.get(key) ?? (await readableTable(connection, this.#parts, table, key.columns))
    this.#tables.set(key, known)
    return known
  }

  #relationsOf(connection: Connection): PieceRelations {
    const known = this.#relations.get(connection) ?? new PieceRelations(this.#parts.types, connection)
    this.#relations.set(connection, known)
    return known
  }
}
