import type {
  CaptureRequest,
  ChangeBatch,
  DriverHost,
  DriverSession,
  NormaliseConstants,
  PlannedStatement,
  Position,
  Relation,
  TableName,
} from '@rowtap/core/driver'
import { RowtapError } from '@rowtap/core/driver'
import { describeTable, readConstants } from '../catalog/describe-table.ts'
import type { RelationRegistry } from '../catalog/relation-registry.ts'
import type { ControlConnection } from '../connection/control-connection.ts'
import { connectionLost, databaseError } from '../errors/database-error.ts'
import type { AttachedTables } from '../publication/attached-tables.ts'
import { CaptureWatch } from '../publication/capture-watch.ts'
import type { EphemeralName } from '../publication/ephemeral-name.ts'
import { Gate } from '../publication/gate.ts'
import { TableCapture } from '../publication/table-capture.ts'
import { ChangeStream } from '../replication/change-stream.ts'
import type { InFlight } from '../replication/in-flight.ts'
import type { ReplicationConnection } from '../replication/replication-connection.ts'
import type { SocketReader } from '../replication/socket-reader.ts'
import { endSession } from './end-session.ts'
import { StatusTimer } from './status-timer.ts'

/** What an open session works with. */
export interface WalSessionParts {
  readonly control: ControlConnection
  readonly replication: ReplicationConnection
  readonly reader: SocketReader
  readonly relations: RelationRegistry
  readonly attached: AttachedTables
  readonly inFlight: InFlight
  readonly name: EphemeralName
  readonly host: DriverHost
  readonly senderTimeoutMs: number
}

/**
 * A running capture.
 *
 * ```
 * open ──close()──▶ closing ──▶ closed
 *   └──a connection ends──▶ lost ──close()──▶ closed
 * ```
 */
export class WalSession implements DriverSession {
  readonly #parts: WalSessionParts
  readonly #stream: ChangeStream
  readonly #status: StatusTimer
  readonly #gate = new Gate()
  readonly #tables: TableCapture
  readonly #watch: CaptureWatch
  readonly #ended = Promise.withResolvers<null>()
  /** Rejects when one of the two connections is lost. */
  readonly #lost: Promise<never>
  #call: Promise<unknown> = Promise.resolve()
  #closing: Promise<void> | null = null

  constructor(parts: WalSessionParts) {
    this.#parts = parts
    const { control, replication, reader, relations, attached, inFlight, host, name } = parts
    this.#status = new StatusTimer(inFlight, (message) => replication.send(message), parts.senderTimeoutMs)
    this.#stream = new ChangeStream({ reader, relations, inFlight, answer: () => void this.#status.tell() })
    this.#tables = new TableCapture({ control, host, name, attached, gate: this.#gate })
    this.#watch = new CaptureWatch({ control, host, name, attached })
    this.#watch.start()
    this.#lost = Promise.race([control.lost, replication.failed])
    // Whoever waits for changes looks at the reason itself. What came before the end of the socket is delivered first.
    control.lost.catch(() => {
      this.#watch.stop()
      this.#stream.end()
    })
    replication.failed.catch(() => {
      if (!reader.isEnded) this.#stream.end()
    })
    this.#lost.catch(() => undefined)
  }

  describe(table: TableName): Promise<Relation> {
    return this.#exclusively(() => describeTable(this.#parts, table))
  }

  readonly normalise: NormaliseConstants = (constants) => {
    return this.#exclusively(() => readConstants(this.#parts.control, constants))
  }

  plan(requests: readonly CaptureRequest[]): Promise<readonly PlannedStatement[]> {
    return this.#exclusively(() => this.#tables.plan(requests))
  }

  capture(requests: readonly CaptureRequest[]): Promise<Position> {
    return this.#exclusively(() => {
      // Before the first change that a new listener may see is decoded.
      this.#parts.relations.compare(requests)
      return this.#tables.capture(requests)
    })
  }

  async *batches(): AsyncGenerator<ChangeBatch, void, void> {
    for (;;) {
      const batch = await this.#next()
      if (batch === null) return
      if (this.#gate.isClosed) await Promise.race([this.#gate.passed(), this.#ended.promise])
      if (this.#closing !== null) return
      yield batch
    }
  }

  acknowledge(position: Position): void {
    this.#parts.inFlight.acknowledge(position)
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  /** The next batch; `null` once the session is closed. */
  async #next(): Promise<ChangeBatch | null> {
    try {
      const batch = this.#closing === null ? await this.#stream.next() : null
      if (batch !== null || this.#closing !== null) return batch
      // Everything that came through is delivered: why nothing follows is what `pg` says.
      return await Promise.race([this.#lost, this.#ended.promise])
    } catch (error) {
      if (this.#closing !== null) return null
      throw databaseError(error, 'stream changes')
    }
  }

  /** Runs one call after another, so that closing can wait for the one that is under way. */
  #exclusively<T>(call: () => Promise<T>): Promise<T> {
    const result = this.#call.then(() => {
      if (this.#closing !== null) throw closed()
      return Promise.race([call(), this.#lostAsError(), this.#ended.promise.then(() => Promise.reject(closed()))])
    })
    this.#call = result.catch(() => undefined)
    return result
  }

  async #lostAsError(): Promise<never> {
    try {
      return await this.#lost
    } catch (error) {
      throw connectionLost(error)
    }
  }

  async #close(): Promise<void> {
    this.#ended.resolve(null)
    this.#stream.end()
    this.#status.stop()
    this.#watch.stop()
    await this.#call
    await endSession(this.#parts, this.#stream, this.#status)
  }
}

function closed(): RowtapError {
  return new RowtapError('ERR_CLOSED', { message: 'The session is closed.' })
}
