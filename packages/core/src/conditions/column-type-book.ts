import type { ColumnType } from './column-type.ts'
import type { ColumnTypeRow, DefinedColumn } from './column-types.ts'
import { definedColumns } from './column-types.ts'
import { COLUMN_TYPES_ROW_SQL, ENUM_LABELS_SQL } from './column-types.sql.ts'
import type { QueryRow } from './normalise-constants.sql.ts'
import { unknownType } from './unknown-type.ts'

/** A column as a driver finds it in a shape of a table. */
export interface ShapedColumn {
  readonly name: string
  /** The type's object id, domains resolved to their base type. */
  readonly typeOid: number
  /** The type's name for messages. */
  readonly typeName: string
}

/**
 * For drivers: the types of tables' columns, as they were when they were last read. What a driver is told of a shape is
 * only the types' object ids.
 *
 * A type that is altered in place keeps its object id. So a driver reads a table again whenever the source announces a
 * shape of it. Of labels of enumerations that are added or renamed no source tells anything: they are looked at again
 * with `refresh` after changes were received and before they are delivered, as far as conditions compare them.
 */
export class ColumnTypeBook {
  readonly #queryRow: QueryRow
  readonly #tables = new Map<number, Map<string, DefinedColumn>>()
  #compared: ReadonlyMap<number, ReadonlySet<string>> = new Map()
  /** The compared enumerations' object ids, and their labels when they were last looked at; `null`: not yet. */
  #enumerations: readonly string[] = []
  #labels: string | null = null
  #version = 0

  /** @param queryRow runs a statement on one connection, always the same one, so that an older answer is never the later. */
  constructor(queryRow: QueryRow) {
    this.#queryRow = queryRow
  }

  /** Grows with every type that is another one than before. */
  get version(): number {
    return this.#version
  }

  /**
   * Reads the types of a table's columns. Of columns that it has no more, what was known stays known: changes of them
   * may still come. The error of a failure is the connection's.
   *
   * @param table the table's object id
   */
  async read(table: number): Promise<void> {
    const [columns = null] = await this.#queryRow({
      name: 'rowtap_column_types',
      text: COLUMN_TYPES_ROW_SQL,
      values: [String(table)],
    })
    // The statement is made here, and so is the shape of what it returns.
    const rows = JSON.parse(columns ?? '[]') as readonly ColumnTypeRow[]
    const known = this.#tables.get(table) ?? new Map<string, DefinedColumn>()
    const before = JSON.stringify([...known.values()])
    for (const column of definedColumns(rows)) known.set(column.name, column)
    if (JSON.stringify([...known.values()]) === before) return
    this.#tables.set(table, known)
    this.#version += 1
    this.#findEnumerations()
  }

  /** The type of a column; of one that was not there, or had another type, one that nothing is known of. */
  typeOf(table: number, column: ShapedColumn): ColumnType {
    const known = this.#tables.get(table)?.get(column.name)
    return known?.typeOid === column.typeOid ? known.type : unknownType(column.typeName)
  }

  /** From now on `refresh` looks after the enumerations of these columns, by the tables' object ids. */
  compare(columns: ReadonlyMap<number, ReadonlySet<string>>): void {
    this.#compared = columns
    this.#findEnumerations()
  }

  /** Whether an enumeration is compared. */
  get isComparing(): boolean {
    return this.#enumerations.length > 0
  }

  /**
   * Looks whether the labels of a compared enumeration are what they were, and otherwise reads the types again. Asks
   * nothing where none is compared. The error of a failure is the connection's.
   *
   * @param transactions the xids of those whose changes are to be delivered, where they may not be visible yet
   * @returns whether they are: what was read is then as new as they are. If not, it is to be called again.
   */
  async refresh(transactions: readonly string[] = []): Promise<boolean> {
    if (!this.isComparing) return true
    const values = [`{${this.#enumerations.join(',')}}`, `{${transactions.join(',')}}`]
    const [labels = null, complete] = await this.#queryRow({
      name: 'rowtap_enum_labels',
      text: ENUM_LABELS_SQL,
      values,
    })
    if (labels !== this.#labels) {
      for (const table of this.#compared.keys()) await this.read(table)
      this.#labels = labels
    }
    return complete === 'true'
  }

  #findEnumerations(): void {
    const found = new Set<string>()
    for (const [table, names] of this.#compared) {
      for (const { name, enumOids } of this.#tables.get(table)?.values() ?? []) {
        if (names.has(name)) for (const oid of enumOids) found.add(oid)
      }
    }
    this.#enumerations = [...found].toSorted()
    this.#labels = null
  }
}
