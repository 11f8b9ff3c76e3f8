import type { ColumnType } from '@rowtap/core/driver'
import { columnTypes, unknownType } from '@rowtap/core/driver'
import type { TextRow } from '../connection/control-connection.ts'
import type { ColumnFacts, TableFacts } from './table-facts.ts'

interface KnownType {
  readonly typeOid: number
  readonly type: ColumnType
}

/**
 * The types of tables' columns, as they were when the table was last looked up. The stream announces a column with
 * nothing but its type's object id.
 */
export class ColumnTypeBook {
  readonly #byTable = new Map<number, ReadonlyMap<string, KnownType>>()

  /** Remembers a table's types, from the rows of `COLUMN_TYPES_SQL`. */
  set(facts: TableFacts, rows: readonly TextRow<'name' | 'definition'>[]): void {
    const types = columnTypes(rows.map((row) => ({ name: row.name ?? '', definition: row.definition ?? '' })))
    const known = new Map<string, KnownType>()
    for (const { name, type } of types) {
      const column = facts.columns.find((other) => other.name === name)
      if (column !== undefined) known.set(name, { typeOid: column.typeOid, type })
    }
    this.#byTable.set(facts.oid, known)
  }

  /** The type of a column; of one that was not there, or had another type, one that nothing is known of. */
  typeOf(tableOid: number, column: ColumnFacts): ColumnType {
    const known = this.#byTable.get(tableOid)?.get(column.name)
    return known?.typeOid === column.typeOid ? known.type : unknownType(column.typeName)
  }
}
