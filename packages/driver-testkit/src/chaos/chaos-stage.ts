import type { TestDatabase } from '../postgres/test-database.ts'
import { eventually } from '../tools/eventually.ts'
import type { Random } from '../tools/seeded-random.ts'
import { seededRandom } from '../tools/seeded-random.ts'
import type { TcpProxy } from '../tools/tcp-proxy.ts'
import { tcpProxy } from '../tools/tcp-proxy.ts'
import { AcknowledgedSamples } from './acknowledged-samples.ts'
import { assertNone } from './audit/assert-none.ts'
import { auditLives, auditRemains } from './audit/audit.ts'
import type { ChaosDriver } from './chaos-driver.ts'
import { loadChaosDriver } from './chaos-driver.ts'
import { Consumers, MARKER } from './consumers.ts'
import { journalEvents } from './handled-event.ts'
import { LedgerWriters } from './ledger-writers.ts'
import { createLedger, readJournal, readLedger, withConnection } from './ledger.ts'
import { WRITE_MARKER } from './ledger-sql.ts'
import { Outages } from './outages.ts'

/** What every chaos test is given. */
export interface ChaosOptions {
  /** A database of its own. Where its server is of the source `'embedded'`, the server is restarted, too. */
  readonly database: TestDatabase
  /** The URL of the module that exports a {@link ChaosDriver} as `chaosDriver`. Node must be able to load it by itself. */
  readonly module: string
  /** Options for the consumer's Node, where loading the module needs some. Default: none. */
  readonly nodeArguments?: readonly string[]
  /** What the misfortunes and the writers' statements follow from. */
  readonly seed: number
  /** How long what was committed may take to arrive once nothing is in its way, in milliseconds. Default: 60,000. */
  readonly patienceMs?: number
}

/** What a chaos test did. */
export interface ChaosReport {
  /** Transactions that the writers know to have committed. */
  readonly transactions: number
  /** Changes that the consumers had to handle. */
  readonly changes: number
  /** How many were handled more than once. */
  readonly redelivered: number
  /** How many processes consumed, one after another. */
  readonly lives: number
  /** How many times one of them connected again by itself. */
  readonly reconnects: number
  /** How often the database's own account of what is acknowledged was compared. */
  readonly acknowledgedSamples: number
}

const SUBSCRIPTION = 'chaos'
const DEFAULT_PATIENCE_MS = 60_000

/** A ledger with writers, and the consumers of its changes. Disposing of it ends all of them. */
export class ChaosStage implements AsyncDisposable {
  readonly database: TestDatabase
  readonly proxy: TcpProxy
  readonly consumers: Consumers
  readonly random: Random
  readonly outages: Outages
  readonly #patienceMs: number
  readonly #writers: LedgerWriters
  readonly #samples: AcknowledgedSamples
  #markers = 0

  private constructor(
    options: ChaosOptions,
    driver: ChaosDriver,
    proxy: TcpProxy,
    consumers: Consumers,
    outages: Outages,
  ) {
    const { database, seed, patienceMs = DEFAULT_PATIENCE_MS } = options
    this.database = database
    this.proxy = proxy
    this.consumers = consumers
    this.random = seededRandom(seed)
    this.outages = outages
    this.#patienceMs = patienceMs
    this.#writers = new LedgerWriters({ database, seed, outages })
    this.#samples = new AcknowledgedSamples({ database, driver, subscription: SUBSCRIPTION, consumers })
  }

  /** Creates the ledger, starts a first consumer, waits until it is live, and then lets the writers begin. */
  static async open(options: ChaosOptions): Promise<ChaosStage> {
    const { database, module, nodeArguments = [], patienceMs = DEFAULT_PATIENCE_MS } = options
    const driver = await loadChaosDriver(module)
    await createLedger(database)
    const proxy = await tcpProxy(database.url)
    const reconnects = driver.create(database).capabilities.delivery.reconnect !== false
    const consumers = await Consumers.create({
      module,
      nodeArguments,
      url: proxy.url,
      subscription: SUBSCRIPTION,
      reconnects,
    })
    try {
      const first = consumers.start()
      await eventually(
        async () => {
          await consumers.read()
          assertNone(consumers.violations(), 'the first consumer starts')
          return first.hasTold('ready')
        },
        'the first consumer is ready',
        { timeoutMs: patienceMs },
      )
    } catch (error) {
      await consumers[Symbol.asyncDispose]()
      await proxy[Symbol.asyncDispose]()
      throw error
    }
    return new ChaosStage(options, driver, proxy, consumers, new Outages())
  }

  /** Resolves when the writers have committed so many more transactions. */
  async committed(transactions: number): Promise<void> {
    const target = this.#writers.committed + transactions
    await this.until(() => this.#writers.committed >= target, 'the writers go on')
  }

  /** Resolves when everything is handled that was committed before this call. */
  async caughtUp(): Promise<void> {
    this.#markers += 1
    const marker = `${MARKER}${this.#markers}`
    await withConnection(this.database, (connection) => connection.query(WRITE_MARKER, [marker]))
    await this.until(() => this.consumers.hasHandled(marker), 'what was committed is handled')
  }

  /** Waits for a condition, and meanwhile starts consumers again that end for a reason that passes. */
  async until(condition: () => boolean, what: string): Promise<void> {
    const look = async (): Promise<boolean> => {
      await this.consumers.read()
      await this.consumers.keepRunning()
      assertNone(this.#failures(), what)
      return condition()
    }
    try {
      await eventually(look, what, { timeoutMs: this.#patienceMs })
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      throw new Error(
        `${reason}\n${this.#writers.committed} transactions are committed, ${this.consumers.describe()}`,
        {
          cause: error,
        },
      )
    }
  }

  /** Fails where what was delivered so far cannot be part of something that is right. */
  check(): void {
    assertNone([...this.#failures(), ...auditLives(this.consumers.lives)], 'what was delivered so far')
  }

  /** Ends the writing, waits for the rest, ends the consumers in good order, and fails where anything is not as it must be. */
  async finish(): Promise<ChaosReport> {
    await this.#writers.stop()
    await this.caughtUp()
    for (const life of this.consumers.lives) if (!life.isFinished) await life.close()
    await this.#samples.stop()
    const { lives, handlings } = this.consumers
    const [journal, rows] = [await readJournal(this.database), await readLedger(this.database)]
    const violations = auditRemains({ lives, journal, rows, samples: this.#samples.all })
    assertNone([...this.#failures(), ...violations], 'what was delivered')
    // Nothing is missing and nothing is invented: these are the changes.
    const changes = journal.flatMap(journalEvents).length
    return {
      transactions: this.#writers.committed,
      changes,
      redelivered: handlings - changes,
      lives: lives.length,
      reconnects: lives.reduce((sum, { reconnects }) => sum + reconnects, 0),
      acknowledgedSamples: this.#samples.all.length,
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writers.stop()
    await this.#samples.stop()
    await this.consumers[Symbol.asyncDispose]()
    await this.proxy[Symbol.asyncDispose]()
  }

  #failures(): readonly string[] {
    return [...this.#writers.failures, ...this.consumers.violations()]
  }
}
