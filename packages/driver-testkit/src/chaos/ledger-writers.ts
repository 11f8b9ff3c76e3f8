import type { Client } from 'pg'
import { setTimeout as sleep } from 'node:timers/promises'
import type { TestDatabase } from '../postgres/test-database.ts'
import type { Random } from '../tools/seeded-random.ts'
import { seededRandom } from '../tools/seeded-random.ts'
import { drawTransaction } from './ledger-statements.ts'
import type { Outages } from './outages.ts'

/** How writers write. */
export interface LedgerWritersOptions {
  readonly database: TestDatabase
  readonly seed: number
  /** While the server is down a writer may fail. */
  readonly outages: Outages
  /** Connections that write at once. Default: 4. */
  readonly writers?: number
  /** Between two transactions of a writer, in milliseconds. Default: 10. */
  readonly pauseMs?: number
}

/** What may go wrong between writers that know nothing of each other: a key that exists, a deadlock. */
const EXPECTED_ERRORS = ['23505', '40P01']
/** A writer that waits for a lock for so long waits for something else than another writer. */
const LOCK_TIMEOUT = '20s'

/** Connections that write to the ledger until they are stopped, without knowing that anybody listens. */
export class LedgerWriters {
  readonly #options: LedgerWritersOptions
  readonly #ended: Promise<unknown>
  readonly #failures: string[] = []
  #isStopped = false
  #committed = 0

  constructor(options: LedgerWritersOptions) {
    this.#options = options
    const { writers = 4, seed } = options
    this.#ended = Promise.all(
      Array.from({ length: writers }, (_, writer) => this.#write(seededRandom(seed * 1000 + writer))),
    )
  }

  /** How many transactions have committed, as far as the writers know. */
  get committed(): number {
    return this.#committed
  }

  /** The errors that writers saw and would not have seen without a consumer. */
  get failures(): readonly string[] {
    return this.#failures
  }

  /** Ends the writing. */
  async stop(): Promise<void> {
    this.#isStopped = true
    await this.#ended
  }

  async #write(random: Random): Promise<void> {
    const { outages, pauseMs = 10 } = this.#options
    let connection: Client | null = null
    while (!this.#isStopped) {
      const began = outages.mark()
      try {
        connection ??= await this.#connect()
        if (await runTransaction(connection, random)) this.#committed += 1
      } catch (error) {
        if (!outages.hasBeenOneSince(began)) this.#failures.push(`a writer failed: ${String(error)}`)
        await connection?.end().catch(() => undefined)
        connection = null
      }
      await sleep(pauseMs)
    }
    await connection?.end().catch(() => undefined)
  }

  async #connect(): Promise<Client> {
    const connection = await this.#options.database.connect()
    // Writers that meet in a circle are not to wait for a second each time.
    await connection.query(`SET deadlock_timeout = '10ms'; SET lock_timeout = '${LOCK_TIMEOUT}'`)
    return connection
  }
}

/** Runs one transaction. False: it was rolled back. */
async function runTransaction(connection: Client, random: Random): Promise<boolean> {
  const { statements, commits } = drawTransaction(random)
  await connection.query('BEGIN')
  try {
    for (const statement of statements) await connection.query(statement)
    await connection.query(commits ? 'COMMIT' : 'ROLLBACK')
    return commits
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && EXPECTED_ERRORS.includes(String(error.code)))) throw error
    await connection.query('ROLLBACK')
    return false
  }
}
