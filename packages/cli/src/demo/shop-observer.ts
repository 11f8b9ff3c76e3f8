import type { ChangeEvent, Client, Row } from '@rowtap/core'
import { connect } from '@rowtap/core'

import type { DriverName } from '../drivers/known-drivers.ts'
import { KNOWN_DRIVERS } from '../drivers/known-drivers.ts'
import type { LineOutput } from '../terminal/line-output.ts'
import { signalLines } from '../commands/signal-lines.ts'
import { SHOP_TABLES } from './shop-schema.ts'
import { TableFold } from './table-fold.ts'
import { wallClockMicroseconds } from './wall-clock.ts'

/** When a handler was called for a change of a transaction. */
export interface Arrival {
  readonly transactionId: string
  /** Microseconds since 1970. */
  readonly time: number
}

/** Reads a table as it is now. */
export type TableReader = (table: string) => Promise<readonly Row[]>

/** Listens to the whole shop with one driver, and keeps account of what arrives. */
export class ShopObserver implements AsyncDisposable {
  readonly driver: DriverName
  /** Every change that arrived, in the order of arrival. */
  readonly arrivals: Arrival[] = []
  /** Rejects when the driver fails. */
  readonly failed: Promise<never>
  readonly #client: Client
  readonly #folds = new Map<string, TableFold>()
  /** The last transaction of which a change arrived, by table. */
  readonly #lastTransactions = new Map<string, string>()
  #onArrival: (() => void) | null = null

  /** Connects, and resolves when every later change of the shop will be seen. */
  static async open(driver: DriverName, url: string, messages: LineOutput): Promise<ShopObserver> {
    const client = await connect(KNOWN_DRIVERS[driver].create({ connection: url }), { on: signalLines(messages) })
    return new ShopObserver(driver, client)
  }

  private constructor(driver: DriverName, client: Client) {
    this.driver = driver
    this.#client = client
    this.failed = new Promise((_, reject) => client.on('error', reject))
    // It is raced for as long as the shop is open; a driver that fails while it is closed fails in close().
    this.failed.catch(() => {})
  }

  /**
   * Starts listening; `onChange` is called for each change. Nobody may write before it resolves: the rows that
   * `read` finds are what the changes are applied to.
   */
  async listen(read: TableReader, onChange: (event: ChangeEvent, arrival: Arrival) => void): Promise<void> {
    const listeners = SHOP_TABLES.map(({ name, key }) => {
      const listener = this.#client.listen({ table: { schema: 'public', name } })
      return { name, key, listener }
    })
    await Promise.all(listeners.map(({ listener }) => listener.ready))
    for (const { name, key, listener } of listeners) {
      const fold = new TableFold(key, await read(name))
      this.#folds.set(name, fold)
      listener.on('change', (event) => {
        const arrival = { transactionId: event.transaction.id, time: wallClockMicroseconds() }
        this.arrivals.push(arrival)
        fold.apply(event)
        onChange(event, arrival)
        this.#lastTransactions.set(name, arrival.transactionId)
        this.#onArrival?.()
      })
    }
  }

  /** Resolves when a change of this transaction has arrived for every table, or when the signal aborts. */
  async caughtUp(transactionId: string, signal: AbortSignal): Promise<void> {
    const seen = (): boolean => SHOP_TABLES.every(({ name }) => this.#lastTransactions.get(name) === transactionId)
    if (seen() || signal.aborted) return
    const reached = Promise.withResolvers<void>()
    this.#onArrival = () => {
      if (seen()) reached.resolve()
    }
    signal.addEventListener('abort', () => reached.resolve(), { once: true })
    await reached.promise
  }

  /** Whether what arrived, applied by key, gives exactly the tables as they are. */
  async foldEquals(read: TableReader): Promise<boolean> {
    for (const [name, fold] of this.#folds) if (!fold.equals(await read(name))) return false
    return true
  }

  /** Disconnects. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client.close()
  }
}
