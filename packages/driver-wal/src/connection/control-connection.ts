import type { QueryRow } from '@rowtap/core/driver'
import type { ClientConfig } from 'pg'
import pg from 'pg'
import { sqlstateOf } from '../errors/database-error.ts'
import { watchControl } from './control-liveness.ts'
import { endWithin } from './end-within.ts'
import { CONTROL_LOCK_TIMEOUT_MS, PIN_CONTROL_SESSION, setLockTimeout } from './session-settings.ts'

const LOCK_NOT_AVAILABLE = '55P03'

/** How long one attempt waits for a lock, in milliseconds, after the first has been refused. */
const LONGEST_ATTEMPT_MS = 1000

/** After how long a wait for a lock is told, in milliseconds. */
const PATIENCE_MS = 1000

const LOCKED =
  'Waiting for a lock, to look at a catalogue of PostgreSQL: another session has it, or a table, to itself (VACUUM FULL, CLUSTER, REINDEX or LOCK).'

/** A row of a catalogue query: every value as text. */
export type TextRow<Column extends string> = Readonly<Record<Column, string | null>>

/** The ordinary connection, for the catalogue and for what is set up. Statements run one at a time. */
export class ControlConnection {
  readonly #client: pg.Client
  readonly #lost = Promise.withResolvers<never>()
  #turn: Promise<unknown> = Promise.resolve()
  #isConnected = false
  #processId = 0
  #closing = false
  #stopWatching: () => void = () => undefined
  #tellWait: ((reason: string) => void) | null = null
  #attemptMs = LONGEST_ATTEMPT_MS

  /** A connection that is not made yet. */
  constructor(config: ClientConfig) {
    this.#client = new pg.Client(config)
    // Whoever needs to know waits for `lost`; until then a failure is not an unhandled one.
    this.#lost.promise.catch(() => undefined)
    this.#client.on('error', (error) => this.#lost.reject(error))
    this.#client.on('end', () => {
      if (!this.#closing) this.#lost.reject(new Error('Connection terminated unexpectedly'))
    })
  }

  /** Connects. The error of a failure is `pg`'s. */
  async connect(): Promise<void> {
    await this.#client.connect()
    this.#isConnected = true
    await this.query(PIN_CONTROL_SESSION)
    const [row] = await this.query<'pid'>('SELECT pg_backend_pid() AS pid')
    this.#processId = Number(row?.pid)
  }

  /** The process of the server that this connection talks to; 0 before it is made. */
  get processId(): number {
    return this.#processId
  }

  /** Never resolves; rejects with `pg`'s error when the connection ends without having been asked to. */
  get lost(): Promise<never> {
    return this.#lost.promise
  }

  /** The host and port that are connected to, for messages. */
  get address(): string {
    return `${this.#client.host}:${this.#client.port}`
  }

  /** The database that is connected to, for messages. */
  get database(): string {
    return this.#client.database ?? ''
  }

  /** The role that connects, for messages. */
  get user(): string {
    return this.#client.user ?? ''
  }

  /**
   * From now on a statement that a lock keeps from being run is run again until it can be: a catalogue that somebody has to
   * himself is no failure. Each attempt is short, so that the server gives a sign of life, and other statements have their
   * turn between. Not for a connection with transactions of several messages: who asks for one of those tries again.
   *
   * @param tell hears of a wait, once it has taken a second.
   */
  waitForLocks(tell: (reason: string) => void): void {
    this.#tellWait = tell
  }

  /**
   * Runs a statement. Several, separated by semicolons and without values, are one transaction.
   * The error of a failure is `pg`'s.
   */
  query<Column extends string>(text: string, values?: readonly unknown[]): Promise<readonly TextRow<Column>[]> {
    return this.#inTurn(async () => {
      const result = await this.#client.query<TextRow<Column>>(text, values === undefined ? undefined : [...values])
      return result.rows
    })
  }

  /**
   * Runs a statement that is run again and again: the server keeps it, under this name, as it was read and planned. Planning
   * a look at the catalogue takes several times as long as the look. The error of a failure is `pg`'s.
   */
  prepared<Column extends string>(
    name: string,
    text: string,
    values: readonly unknown[],
  ): Promise<readonly TextRow<Column>[]> {
    return this.#inTurn(async () => {
      const result = await this.#client.query<TextRow<Column>>({ name, text, values: [...values] })
      return result.rows
    })
  }

  /**
   * Sends statements that begin a transaction and end it, in one message. Where one of them fails, the transaction is
   * rolled back before any other statement runs. The error of a failure is `pg`'s.
   */
  transaction(text: string): Promise<void> {
    return this.#inTurn(() => this.#undivided(text))
  }

  /**
   * The same, or a single statement, for one that others may have to queue behind while it waits for a lock: it waits for
   * a moment only, and is refused then. The error of a failure is `pg`'s.
   */
  attempt(text: string): Promise<void> {
    return this.#afterOthers(() => this.#undivided(text))
  }

  /** Runs a statement and returns its one row, as texts in the order of its columns. The error of a failure is `pg`'s. */
  readonly queryRow: QueryRow = ({ text, values, name }) => {
    const prepared = name === undefined ? {} : { name }
    return this.#inTurn(async () => {
      const query = { text, values: [...values], rowMode: 'array' as const, ...prepared }
      const { rows } = await this.#client.query<(string | null)[]>(query)
      return rows[0] ?? []
    })
  }

  /** Runs a statement and returns its rows, as texts in the order of its columns. The error of a failure is `pg`'s. */
  queryRows(text: string, values: readonly unknown[]): Promise<readonly (readonly (string | null)[])[]> {
    return this.#inTurn(async () => {
      const { rows } = await this.#client.query<(string | null)[]>({ text, values: [...values], rowMode: 'array' })
      return rows
    })
  }

  /** Runs work when it is its turn; where it waits for locks, again and again. */
  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const since = performance.now()
    let isTold = false
    for (let run = work; ; run = () => this.#withLongerWait(work)) {
      try {
        return await this.#afterOthers(run)
      } catch (error) {
        if (this.#tellWait === null || sqlstateOf(error) !== LOCK_NOT_AVAILABLE) throw error
      }
      if (isTold || performance.now() - since < PATIENCE_MS) continue
      isTold = true
      this.#tellWait(LOCKED)
    }
  }

  #afterOthers<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(work)
    this.#turn = result.catch(() => undefined)
    return result
  }

  /** Fewer attempts leave fewer lines in the server's log. */
  async #withLongerWait<T>(work: () => Promise<T>): Promise<T> {
    await this.#client.query(setLockTimeout(this.#attemptMs))
    try {
      return await work()
    } finally {
      // It fails only where the connection is gone, of which the first error tells.
      await this.#client.query(setLockTimeout(CONTROL_LOCK_TIMEOUT_MS)).catch(() => undefined)
    }
  }

  async #undivided(text: string): Promise<void> {
    try {
      await this.#client.query(text)
    } catch (error) {
      await this.#client.query('ROLLBACK').catch(() => undefined)
      throw error
    }
  }

  /** From now on the connection is lost when the server gives no sign of life for so long, in milliseconds. */
  watch(livenessMs: number): void {
    // An attempt that is refused is a sign of life, and several statements may wait in turn.
    this.#attemptMs = Math.min(LONGEST_ATTEMPT_MS, livenessMs / 8)
    this.#stopWatching = watchControl(this, livenessMs)
  }

  /** Counts the connection as lost, and closes its socket: what it is asked fails. */
  drop(error: Error): void {
    this.#lost.reject(error)
    this.#client.connection.stream.destroy()
  }

  /** Disconnects, whatever state the connection is in. */
  async end(): Promise<void> {
    this.#closing = true
    this.#stopWatching()
    // One that is still being made has nobody to say goodbye to.
    if (!this.#isConnected) this.#client.connection.stream.destroy()
    await endWithin(
      () => this.#client.end(),
      () => this.#client.connection.stream,
    )
  }
}
