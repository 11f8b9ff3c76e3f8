import type { ColumnType, ConditionColumn, TableName } from '@rowtap/core/driver'
import { unknownType } from '@rowtap/core/driver'
import type { ShapeColumn, ShapeContent } from './shape.ts'

interface KnownType {
  readonly typeName: string
  readonly type: ColumnType
}

/**
 * The types of tables' columns, as they were when the table was last looked up. A shape in the queue has nothing but
 * their names.
 */
export class ColumnTypeBook {
  readonly #byTable = new Map<string, ReadonlyMap<string, KnownType>>()

  /** Remembers the types of a table that has these columns. */
  set(table: TableName, content: ShapeContent, types: readonly ConditionColumn[]): void {
    const known = new Map<string, KnownType>()
    for (const { name, type } of types) {
      const column = content.columns.find((other) => other.name === name)
      if (column !== undefined) known.set(name, { typeName: column.typeName, type })
    }
    this.#byTable.set(keyOf(table), known)
  }

  /** The type of a column; of one that was not there, or had another type, one that nothing is known of. */
  typeOf(table: TableName, column: ShapeColumn): ColumnType {
    const known = this.#byTable.get(keyOf(table))?.get(column.name)
    return known?.typeName === column.typeName ? known.type : unknownType(column.typeName)
  }
}

function keyOf(table: TableName): string {
  return JSON.stringify([table.schema, table.name])
}
