import type { DriverName } from '../drivers/known-drivers.ts'
import type { DriverReport, DemoReport } from './demo-report.ts'
import type { DemoScreen } from './demo-screen.ts'
import { delaySummary } from './delay-summary.ts'
import { PairedChanges } from './paired-changes.ts'
import { pause } from './pause.ts'
import type { ShopDatabase } from './shop-database.ts'
import type { Arrival, ShopObserver } from './shop-observer.ts'
import { closeShop, runWriter } from './shop-writer.ts'
import { calibrateWallClock } from './wall-clock.ts'

/** How long a line is the last one, so that it can be read. */
const LINE_MS = 125
/** How long the drivers may take to see what was written last. */
const CATCH_UP_MS = 15_000

/** A day in the shop: writers at work, drivers that watch, and the accounts at the end. */
export class ShopDay {
  readonly #shop: ShopDatabase
  readonly #observers: readonly ShopObserver[]
  readonly #screen: DemoScreen
  readonly #pairs = new PairedChanges()
  #written = 0
  #shown = 0

  constructor(shop: ShopDatabase, observers: readonly ShopObserver[], screen: DemoScreen) {
    this.#shop = shop
    this.#observers = observers
    this.#screen = screen
  }

  /** Resolves when every driver is live. */
  async prepare(): Promise<void> {
    for (const observer of this.#observers) {
      await observer.listen(this.#shop.read, (event, arrival) => this.#pairs.add(observer.driver, { event, arrival }))
    }
    calibrateWallClock(10)
  }

  /** Lets the writers work for so long, or until the signal aborts, and shows what can be shown. */
  async run(milliseconds: number, stop: AbortSignal): Promise<void> {
    const failed = new AbortController()
    const evening = AbortSignal.any([stop, failed.signal, AbortSignal.timeout(milliseconds)])
    const writing = this.#shop.writers.map((writer) => runWriter(writer, evening, this.#count))
    try {
      await this.#unlessFailed([...writing, this.#show(performance.now() + milliseconds, evening)])
    } finally {
      failed.abort()
    }
  }

  /** Waits until the drivers have seen everything, and compares. */
  async close(stop: AbortSignal): Promise<DemoReport> {
    const transactionId = await closeShop(this.#shop.office, this.#count)
    const patience = AbortSignal.any([stop, AbortSignal.timeout(CATCH_UP_MS)])
    await this.#unlessFailed(this.#observers.map((observer) => observer.caughtUp(transactionId, patience)))
    const times = await this.#shop.commitTimes([...new Set(this.#observers.flatMap(transactionsOf))])
    const reports = new Map<DriverName, DriverReport>()
    for (const observer of this.#observers) {
      const delays = observer.arrivals.map((arrival) => delayOf(arrival, times)).filter((delay) => delay !== null)
      const foldEqualsTable = await observer.foldEquals(this.#shop.read)
      reports.set(observer.driver, { seen: observer.arrivals.length, delay: delaySummary(delays), foldEqualsTable })
    }
    return { written: this.#written, shown: this.#shown, drivers: reports }
  }

  readonly #count = (changes: number): void => {
    this.#written += changes
  }

  /** Prints changes at the pace of a reader. */
  async #show(endsAt: number, evening: AbortSignal): Promise<void> {
    while (!evening.aborted) {
      await pause(LINE_MS, evening)
      calibrateWallClock()
      const pair = this.#pairs.next()
      if (pair !== undefined) {
        const ids = [...pair.values()].map(({ arrival }) => arrival.transactionId)
        const times = await this.#shop.commitTimes([...new Set(ids)])
        await this.#screen.change(pair, ({ arrival }) => delayOf(arrival, times))
        this.#shown += 1
      }
      const secondsLeft = Math.max(0, Math.ceil((endsAt - performance.now()) / 1_000))
      const seen = new Map(this.#observers.map((observer) => [observer.driver, observer.arrivals.length]))
      this.#screen.footer(seen, `${secondsLeft} s left`)
    }
  }

  async #unlessFailed(work: readonly Promise<void>[]): Promise<void> {
    await Promise.race([Promise.all(work), ...this.#observers.map((observer) => observer.failed)])
  }
}

function transactionsOf(observer: ShopObserver): readonly string[] {
  return observer.arrivals.map((arrival) => arrival.transactionId)
}

/** From the commit to the handler, in milliseconds. */
function delayOf(arrival: Arrival, commitTimes: ReadonlyMap<string, number>): number | null {
  const committedAt = commitTimes.get(arrival.transactionId)
  return committedAt === undefined ? null : (arrival.time - committedAt) / 1_000
}
