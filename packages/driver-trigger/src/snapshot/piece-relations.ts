import type { Relation, TableName } from '@rowtap/core/driver'
import { ColumnTypeBook } from '@rowtap/core/driver'
import type { RelationOf } from '../catalog/relations.ts'
import { relationCache } from '../catalog/relations.ts'
import type { Queries } from '../connection/connection.ts'
import type { PostgresTypes } from '../trigger-options.ts'
import type { TableFacts } from './table-facts.ts'

/**
 * The relations of tables as one connection sees them, within the transaction that it is in. So a piece takes no second
 * connection while it has its table locked.
 */
export class PieceRelations {
  readonly #columnTypes: ColumnTypeBook
  readonly #relationOf: RelationOf
  #queries: Queries

  constructor(types: PostgresTypes, connection: Queries) {
    this.#queries = connection
    this.#columnTypes = new ColumnTypeBook(async ({ text, values }) => {
      const [row = []] = await this.#queries.texts('', { text: () => text }, [...values])
      return row
    })
    this.#relationOf = relationCache(types, this.#columnTypes)
  }

  /**
   * The relation of a table, with its columns' types as they are now.
   *
   * @param queries the transaction, or the connection itself.
   * @param name what the table's rows are delivered under.
   */
  async of(queries: Queries, { oid, content }: TableFacts, name: TableName): Promise<Relation> {
    this.#queries = queries
    await this.#columnTypes.read(Number(oid))
    return this.#relationOf({ oid, name }, content).relation
  }
}
