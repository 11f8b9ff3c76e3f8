import type { Operation } from '../capabilities/capabilities.ts'
import { OPERATIONS } from '../capabilities/capabilities.ts'
import type { CaptureRequest, RequestedCondition } from '../contract/driver.ts'
import type { TableName } from '../contract/table-name.ts'

/** What one listener needs of its table. */
export interface CaptureWish {
  readonly table: TableName
  readonly operations: ReadonlySet<Operation>
  /** The columns that it needs; `null`: all. */
  readonly columns: readonly string[] | null
  /** Whether it wants rows. Left out: it does. */
  readonly rows?: boolean
  /** The columns of enumerations that its condition compares. Left out: none. */
  readonly comparedEnums?: readonly string[]
  /** Its condition, where the driver is to know of it. `null`: it wants every row. Left out: nobody uses it. */
  readonly condition?: RequestedCondition | null
}

interface WantedTable {
  readonly table: TableName
  /** How many listeners want each operation, and need each column. */
  readonly operations: Map<Operation, number>
  readonly columns: Map<string, number>
  /** How many compare each column of an enumeration. */
  readonly comparedEnums: Map<string, number>
  /** How many have each condition, by its SQL. */
  readonly conditions: Map<string, number>
  readonly trees: Map<string, RequestedCondition>
  /** How many are not known to have one. */
  unconditional: number
  /** How many listeners need every column. */
  all: number
  /** How many want rows, and how many do not. */
  withRows: number
  withoutRows: number
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
      wanted = {
        table: wish.table,
        operations: new Map(),
        columns: new Map(),
        comparedEnums: new Map(),
        conditions: new Map(),
        trees: new Map(),
        unconditional: 0,
        all: 0,
        withRows: 0,
        withoutRows: 0,
      }
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

  /** Whether anybody needs anything of a table. */
  has(table: TableName): boolean {
    return this.#tables.has(keyOf(table))
  }

  /** Whether anybody wants rows of a table. */
  hasRows(table: TableName): boolean {
    return (this.#tables.get(keyOf(table))?.withRows ?? 0) > 0
  }

  /** One request for each table. */
  requests(): CaptureRequest[] {
    return [...this.#tables.values()].map(
      ({ table, operations, columns, comparedEnums, trees, unconditional, all, withRows, withoutRows }) => ({
        table,
        operations: new Set(OPERATIONS.filter((operation) => operations.has(operation))),
        // Beside rows, who wants none is told of an update of any column nevertheless.
        columns: all > 0 || (withRows > 0 && withoutRows > 0) ? null : new Set(columns.keys()),
        ...(withRows > 0 ? {} : { rows: false as const }),
        comparedEnums: new Set(comparedEnums.keys()),
        where: unconditional > 0 ? null : [...trees.values()],
      }),
    )
  }

  #count(wanted: WantedTable, wish: CaptureWish, by: 1 | -1): void {
    this.#countCondition(wanted, wish, by)
    const kind = wish.rows === false ? 'withoutRows' : 'withRows'
    const before = wanted[kind]
    wanted[kind] += by
    if (before === 0 || wanted[kind] === 0) this.version += 1
    for (const operation of wish.operations) this.#countOne(wanted.operations, operation, by)
    for (const column of wish.comparedEnums ?? []) this.#countOne(wanted.comparedEnums, column, by)
    if (wish.columns !== null) {
      for (const column of wish.columns) this.#countOne(wanted.columns, column, by)
      return
    }
    const all = wanted.all
    wanted.all += by
    if (all === 0 || wanted.all === 0) this.version += 1
  }

  #countCondition(wanted: WantedTable, { condition }: CaptureWish, by: 1 | -1): void {
    if (condition === undefined || condition === null) {
      const before = wanted.unconditional
      wanted.unconditional += by
      // Of those whose condition nobody uses, one more or less changes nothing.
      if (condition === null && (before === 0 || wanted.unconditional === 0)) this.version += 1
      return
    }
    this.#countOne(wanted.conditions, condition.sql, by)
    if (wanted.conditions.has(condition.sql)) wanted.trees.set(condition.sql, condition)
    else wanted.trees.delete(condition.sql)
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
