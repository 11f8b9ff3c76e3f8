import type { Operation } from '../capabilities/capabilities.ts'
import { OPERATIONS } from '../capabilities/capabilities.ts'
import type { CaptureRequest } from '../contract/driver.ts'
import type { TableName } from '../contract/table-name.ts'

/** What one listener needs of its table. */
export interface CaptureWish {
  readonly table: TableName
  readonly operations: ReadonlySet<Operation>
  /** The columns that it needs; `null`: all. */
  readonly columns: readonly string[] | null
  /** The columns of enumerations that its condition compares. Left out: none. */
  readonly comparedEnums?: readonly string[]
}

interface WantedTable {
  readonly table: TableName
  /** How many listeners want each operation, and need each column. */
  readonly operations: Map<Operation, number>
  readonly columns: Map<string, number>
  /** How many compare each column of an enumeration. */
  readonly comparedEnums: Map<string, number>
  /** How many listeners need every column. */
  all: number
}

/** The union of what listeners need, table by table. One more or less costs the same, however many there are. */
export class CaptureSet {
  readonly #tables = new Map<string, WantedTable>()
  /** Grows whenever the union changes. */
  version = 0

  add(wish: CaptureWish): void {
    const name = keyOf(wish.table)
    let wanted = this.#tables.get(name)
    if (wanted === undefined) {
      wanted = { table: wish.table, operations: new Map(), columns: new Map(), comparedEnums: new Map(), all: 0 }
      this.#tables.set(name, wanted)
    }
    this.#count(wanted, wish, 1)
  }

  remove(wish: CaptureWish): void {
    const name = keyOf(wish.table)
    const wanted = this.#tables.get(name)
    if (wanted === undefined) return
    this.#count(wanted, wish, -1)
    if (wanted.operations.size === 0) this.#tables.delete(name)
  }

  /** One request for each table. */
  requests(): CaptureRequest[] {
    return [...this.#tables.values()].map(({ table, operations, columns, comparedEnums, all }) => ({
      table,
      operations: new Set(OPERATIONS.filter((operation) => operations.has(operation))),
      columns: all > 0 ? null : new Set(columns.keys()),
      comparedEnums: new Set(comparedEnums.keys()),
    }))
  }

  #count(wanted: WantedTable, wish: CaptureWish, by: 1 | -1): void {
    for (const operation of wish.operations) this.#countOne(wanted.operations, operation, by)
    for (const column of wish.comparedEnums ?? []) this.#countOne(wanted.comparedEnums, column, by)
    if (wish.columns !== null) {
      for (const column of wish.columns) this.#countOne(wanted.columns, column, by)
      return
    }
    const before = wanted.all
    wanted.all += by
    if (before === 0 || wanted.all === 0) this.version += 1
  }

  #countOne<K>(counts: Map<K, number>, name: K, by: 1 | -1): void {
    const before = counts.get(name) ?? 0
    if (before + by === 0) counts.delete(name)
    else counts.set(name, before + by)
    if (before === 0 || before + by === 0) this.version += 1
  }
}

function keyOf(table: TableName): string {
  return JSON.stringify([table.schema, table.name])
}
