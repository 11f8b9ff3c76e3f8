import type { BlockHeader, SizedPiece } from './table-order.ts'
import { TableOrder } from './table-order.ts'

/**
 * Puts the blocks of one transaction into the order in which its changes were made, going back from its end: blocks come from
 * the last number to the first, and so do the pieces of them. SizedPieces of one table are in the order of {@link TableOrder};
 * one comes as early as its number says, or that of any later one of its table.
 *
 * How far a table's last statement goes back is known when the block before it is. So as not to keep what other tables have
 * in between, that block may be added before its turn.
 */
export class NestedOrder {
  readonly #tables: Map<string, TableOrder>
  #below: number

  constructor(tables: ReadonlyMap<string, TableOrder> = new Map(), below: number = Number.POSITIVE_INFINITY) {
    this.#tables = new Map([...tables].map(([root, table]) => [root, table.copy()]))
    this.#below = below
  }

  /** The number of the block that was added last in its turn: the next one is below. */
  get below(): number {
    return this.#below
  }

  /** Whether every block was added. */
  get isWhole(): boolean {
    return this.#below === 0
  }

  /** How many runs of rows wait for what comes after them. */
  get waiting(): number {
    let waiting = 0
    for (const table of this.#tables.values()) waiting += table.waiting
    return waiting
  }

  /** The same again, to go on from here twice. */
  copy(): NestedOrder {
    return new NestedOrder(this.#tables, this.#below)
  }

  /** The next block. */
  add(block: BlockHeader): void {
    this.#below = block.seq
    const table = this.#tableOf(block.root)
    if (block.seq < table.addedLast) table.add(block)
  }

  /** There is no further block. */
  end(): void {
    this.#below = 0
    for (const table of this.#tables.values()) table.end()
  }

  /** The table that the next piece waits for, and the number of its block that was added last; `null` where there is none. */
  get awaited(): { readonly root: string; readonly below: number } | null {
    const next = this.#next()
    if (next === null) return null
    const [root, table] = this.#before(next.place) ?? []
    return root === undefined || table === undefined ? null : { root, below: table.addedLast }
  }

  /** The block of the awaited table before those that were added; `null`: there is none. */
  addAwaited(root: string, block: BlockHeader | null): void {
    if (block === null) this.#tableOf(root).end()
    else this.#tableOf(root).add(block)
  }

  /** The piece before those that were taken; `null` where it is not known yet which one that is, or where there is none. */
  take(): SizedPiece | null {
    const next = this.#next()
    if (next === null || next.place < this.#below || this.#before(next.place) !== null) return null
    return next.table.take()
  }

  #tableOf(root: string): TableOrder {
    let table = this.#tables.get(root)
    if (table === undefined) this.#tables.set(root, (table = new TableOrder()))
    return table
  }

  /** Of the tables whose last piece is known the one with the greatest place. */
  #next(): { readonly table: TableOrder; readonly place: number } | null {
    let next: { readonly table: TableOrder; readonly place: number } | null = null
    for (const table of this.#tables.values()) {
      const { place } = table
      if (place !== null && (next === null || place > next.place)) next = { table, place }
    }
    return next
  }

  /** A table whose last piece is not known, and may come after a place. */
  #before(place: number): readonly [root: string, table: TableOrder] | null {
    for (const [root, table] of this.#tables) {
      if (table.place === null && table.latestPlace > place) return [root, table]
    }
    return null
  }
}
