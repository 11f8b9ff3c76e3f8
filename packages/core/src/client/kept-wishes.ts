import type { TableListener } from '../delivery/table-listener.ts'
import type { CaptureWish } from './capture-set.ts'

/** The wishes of listeners that have ended, and whose tables a subscription goes on to capture. */
export class KeptWishes {
  /** Each wish once, however many listeners had it: a program may make and end them for as long as it runs. */
  readonly #wishes = new Map<string, { readonly wish: CaptureWish; listeners: number }>()
  readonly #keys = new WeakMap<TableListener, string>()

  /** Each of them once. */
  get all(): readonly CaptureWish[] {
    return [...this.#wishes.values()].map(({ wish }) => wish)
  }

  /** Keeps a listener's wish. */
  keep(listener: TableListener, wish: CaptureWish): void {
    const { table, operations, rows = true, columns, comparedEnums = [], condition } = wish
    const key = JSON.stringify([
      table.schema,
      table.name,
      [...operations],
      rows,
      columns,
      comparedEnums,
      condition?.sql,
    ])
    const kept = this.#wishes.get(key) ?? { wish: wishAlone(wish), listeners: 0 }
    kept.listeners += 1
    this.#wishes.set(key, kept)
    this.#keys.set(listener, key)
  }

  /** Keeps a listener's wish no longer, and returns it; `undefined` where it was not kept. */
  letGo(listener: TableListener): CaptureWish | undefined {
    const key = this.#keys.get(listener)
    const kept = key === undefined ? undefined : this.#wishes.get(key)
    if (key === undefined || kept === undefined) return undefined
    this.#keys.delete(listener)
    kept.listeners -= 1
    if (kept.listeners === 0) this.#wishes.delete(key)
    return kept.wish
  }
}

/** The wish in an object of its own: the listener's may hold all that was asked of it. */
function wishAlone({
  table,
  operations,
  rows = true,
  columns,
  comparedEnums = [],
  condition,
}: CaptureWish): CaptureWish {
  const wish = { table, operations, rows, columns, comparedEnums }
  return condition === undefined ? wish : { ...wish, condition }
}
