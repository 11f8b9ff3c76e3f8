import type { QueryRow } from '@rowtap/core/driver'
import type { ClientConfig } from 'pg'
import pg from 'pg'
import { watchControl } from './control-liveness.ts'
import { endWithin } from './end-within.ts'
import { PIN_CONTROL_SESSION } from './session-settings.ts'

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
   * Runs a statement. Several, separated by semicolons and without values, are one transaction.
   * The error of a failure is `pg`'s.
   */
  query<Column extends string>(text: string, values?: readonly unknown[]): Promise<readonly TextRow<Column>[]> {
    return this.#inTurn(() => this.#client.query<TextRow<Column>>(text, values === undefined ? undefined : [...values]))
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
    return this.#inTurn(() => this.#client.query<TextRow<Column>>({ name, text, values: [...values] }))
  }

  /**
   * Sends statements that begin a transaction and end it, in one message. Where one of them fails, the transaction is
   * rolled back before any other statement runs. The error of a failure is `pg`'s.
   */
  transaction(text: string): Promise<void> {
    const result = this.#turn.then(async () => {
      try {
        await this.#client.query(text)
      } catch (error) {
        // It fails only where the connection is gone, of which the first error tells.
        await this.#client.query('ROLLBACK').catch(() => undefined)
        throw error
      }
    })
    this.#turn = result.catch(() => undefined)
    return result
  }

  /** Runs a statement and returns its one row, as texts in the order of its columns. The error of a failure is `pg`'s. */
  readonly queryRow: QueryRow = ({ text, values, name }) => {
    const prepared = name === undefined ? {} : { name }
    const result = this.#turn.then(async () => {
      const query = { text, values: [...values], rowMode: 'array' as const, ...prepared }
      const { rows } = await this.#client.query<(string | null)[]>(query)
      return rows[0] ?? []
    })
    this.#turn = result.catch(() => undefined)
    return result
  }

  /** Runs a statement and returns its rows, as texts in the order of its columns. The error of a failure is `pg`'s. */
  queryRows(text: string, values: readonly unknown[]): Promise<readonly (readonly (string | null)[])[]> {
    const result = this.#turn.then(async () => {
      const { rows } = await this.#client.query<(string | null)[]>({ text, values: [...values], rowMode: 'array' })
      return rows
    })
    this.#turn = result.catch(() => undefined)
    return result
  }

  #inTurn<Row>(query: () => Promise<{ readonly rows: readonly Row[] }>): Promise<readonly Row[]> {
    const result = this.#turn.then(async () => (await query()).rows)
    this.#turn = result.catch(() => undefined)
    return result
  }

  /** From now on the connection is lost when the server gives no sign of life for so long, in milliseconds. */
  watch(livenessMs: number): void {
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
