import type { SocketConstructorOpts } from 'node:net'
import { Socket } from 'node:net'
import type { Client, ClientConfig } from 'pg'
import pgLogicalReplication from 'pg-logical-replication'
import { sqlstateOf } from '../errors/database-error.ts'
import { endWithin } from '../connection/end-within.ts'
import { PIN_REPLICATION_SESSION } from '../connection/session-settings.ts'
import type { SlotKind, StreamOptions } from './replication-sql.ts'
import {
  createSlotCommand,
  enableFailover,
  IDENTIFY_SYSTEM,
  startReplication,
  timelineHistory,
} from './replication-sql.ts'
import type { Lsn } from './lsn.ts'
import { parseLsn } from './lsn.ts'
import { SocketReader } from './socket-reader.ts'
import { COPY_DONE } from './standby-status.ts'
import type { ServerIdentity } from './timeline-history.ts'
import { parseTimelineHistory } from './timeline-history.ts'

/** How long the server may take to end the stream when it is asked to. */
const STOP_TIMEOUT_MS = 1000

/** Where the server would wait for ever for a sign of life, it waits as long as its own default says. */
const SENDER_TIMEOUT_MS = 60_000
const SENDER_TIMEOUT = `SELECT setting FROM pg_catalog.pg_settings WHERE name OPERATOR(pg_catalog.=) 'wal_sender_timeout'`
const LIMIT_SENDER_TIMEOUT = `SELECT pg_catalog.set_config('wal_sender_timeout', '${SENDER_TIMEOUT_MS}', false)`

/**
 * The connection that changes come through.
 *
 * `pg-logical-replication` makes and ends it. It hands the client to its plugin, and there the socket is taken
 * over: the library would acknowledge one byte too far and never answer a keepalive by itself.
 *
 * ```
 * connect() ──▶ createSlot() ──▶ start() ──▶ stop()
 * ```
 */
export class ReplicationConnection {
  readonly #service: pgLogicalReplication.LogicalReplicationService
  readonly #connected = Promise.withResolvers<Client>()
  readonly #finished = Promise.withResolvers<void>()
  readonly #failed = Promise.withResolvers<never>()
  #socket: Socket | null = null
  #client: Client | null = null

  /** A connection that is not made yet. */
  constructor(config: ClientConfig) {
    this.#service = new pgLogicalReplication.LogicalReplicationService(
      { ...config, stream: this.#makeSocket },
      { acknowledge: { auto: false, timeoutSeconds: 0 } },
    )
    this.#service.on('error', (error) => this.#failed.reject(error))
    // Both are looked at when something is waited for; until then a failure is not an unhandled one.
    this.#failed.promise.catch(() => undefined)
    this.#finished.promise.catch(() => undefined)
  }

  /** Never resolves; rejects with `pg`'s error when the connection ends without having been asked to. */
  get failed(): Promise<never> {
    return this.#failed.promise
  }

  /** Connects, and sets what the output of values depends on. The error of a failure is `pg`'s. */
  async connect(): Promise<void> {
    const plugin = {
      name: 'pgoutput',
      options: {},
      start: (client: Client): Promise<void> => {
        this.#connected.resolve(client)
        return this.#finished.promise
      },
      parse: (): never => {
        throw new Error('The socket was taken over: nothing is left to parse here.')
      },
    }
    this.#service.subscribe(plugin, '').catch((error: unknown) => this.#failed.reject(error))
    this.#client = await Promise.race([this.#connected.promise, this.failed])
    await this.#query(PIN_REPLICATION_SESSION)
  }

  /** The process of the server that this connection talks to. */
  async processId(): Promise<number> {
    const rows = await this.#query('SELECT pg_catalog.pg_backend_pid() AS pid')
    return Number(rows[0]?.['pid'])
  }

  /** Which server it is, and which timelines its log has. The error of a failure is `pg`'s. */
  async identify(): Promise<ServerIdentity> {
    const [row] = await this.#query(IDENTIFY_SYSTEM)
    const timeline = Number(row?.['timeline'])
    return {
      systemId: String(row?.['systemid']),
      timeline,
      end: parseLsn(String(row?.['xlogpos'])),
      ancestors: timeline === 1 ? [] : await this.#ancestorsOf(timeline),
    }
  }

  /**
   * How long the server waits for a sign of life, in milliseconds. Where it would wait for ever, it is told not to: a
   * client that is gone must not keep its slot.
   */
  async senderTimeoutMs(): Promise<number> {
    const rows = await this.#query(SENDER_TIMEOUT)
    const timeoutMs = Number(rows[0]?.['setting'])
    if (timeoutMs > 0) return timeoutMs
    await this.#query(LIMIT_SENDER_TIMEOUT)
    return SENDER_TIMEOUT_MS
  }

  /** Makes a slot. Waits for every older transaction of the server. */
  async createSlot(slot: string, kind: SlotKind): Promise<Lsn> {
    const rows = await this.#query(createSlotCommand(slot, kind))
    return parseLsn(String(rows[0]?.['consistent_point']))
  }

  /** Has standbys hold a copy of a slot, from PostgreSQL 17 on. */
  async enableFailover(slot: string): Promise<void> {
    await this.#query(enableFailover(slot))
  }

  /**
   * Starts the stream. From here on the socket is read by the returned reader.
   */
  start(slot: string, publications: readonly string[], options: StreamOptions): SocketReader {
    const client = this.#connectedClient()
    const reader = new SocketReader(client.connection.stream)
    client.query(startReplication(slot, publications, options)).then(
      () => this.#finished.resolve(),
      (error: unknown) => {
        this.#finished.reject(error)
        this.#failed.reject(error)
      },
    )
    return reader
  }

  /** Sends bytes as they are. Resolves when the system has them, or the connection is closed. */
  async send(message: Buffer): Promise<void> {
    const stream = this.#client?.connection.stream
    if (stream === undefined || !stream.writable) return
    // A failure of the socket ends the connection, and is told there.
    await new Promise<void>((resolve) => stream.write(message, () => resolve()))
  }

  /**
   * Ends the stream and the connection.
   *
   * @param discard throws away what arrives meanwhile, until the connection is closed.
   */
  async stop(discard: (() => Promise<void>) | null): Promise<void> {
    const discarded = discard?.()
    if (discarded !== undefined) {
      await this.send(COPY_DONE)
      await settledWithin(this.#finished.promise, STOP_TIMEOUT_MS)
    }
    // One that is still being made has nobody to say goodbye to.
    if (this.#client === null) this.#socket?.destroy()
    await endWithin(
      () => this.#service.destroy(),
      () => this.#client?.connection.stream,
    )
    this.#finished.resolve()
    await discarded
  }

  /**
   * A socket that stops to read as soon as it is paused. By default it would go on until it holds 64 KiB, and wake
   * the program for each row of them: see {@link SocketReader}.
   */
  readonly #makeSocket = (): Socket => {
    // Every stream takes this option, but the type of a socket's options leaves it out.
    const options: SocketConstructorOpts & { readonly highWaterMark: number } = { highWaterMark: 1 }
    this.#socket = new Socket(options)
    return this.#socket
  }

  async #ancestorsOf(timeline: number): Promise<ServerIdentity['ancestors']> {
    try {
      const [row] = await this.#query(timelineHistory(timeline))
      return parseTimelineHistory(String(row?.['content']))
    } catch (error) {
      // The file may have been removed, which the server does without.
      if (sqlstateOf(error) === null) throw error
      return null
    }
  }

  async #query(text: string): Promise<readonly Readonly<Record<string, unknown>>[]> {
    const result = this.#connectedClient().query<Record<string, unknown>>(text)
    const { rows } = await Promise.race([result, this.failed])
    return rows
  }

  #connectedClient(): Client {
    if (this.#client === null) throw new Error('The replication connection is not made yet.')
    return this.#client
  }
}

async function settledWithin(promise: Promise<void>, timeoutMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const timeout = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, timeoutMs)
  })
  // How it ended is told by `failed`; here it matters only that it did.
  await Promise.race([promise.catch(() => undefined), timeout])
  clearTimeout(timer)
}
