import type { DriverHost, Position, RowtapError } from '@rowtap/core/driver'
import type { RelationRegistry } from '../catalog/relation-registry.ts'
import type { ControlConnection } from '../connection/control-connection.ts'
import { connectionLost, databaseError } from '../errors/database-error.ts'
import type { AttachedTables } from '../publication/attached-tables.ts'
import type { PushdownSetting } from '../publication/explain-pushdown.ts'
import type { CoverageMemory } from '../publication/coverage.ts'
import type { Gate } from '../publication/gate.ts'
import { TableCapture } from '../publication/table-capture.ts'
import { ChangeStream } from '../replication/change-stream.ts'
import { InFlight } from '../replication/in-flight.ts'
import type { ReplicationConnection } from '../replication/replication-connection.ts'
import type { SocketReader } from '../replication/socket-reader.ts'
import type { OpenTransactionsOptions } from '../replication/streaming/open-transactions.ts'
import type { TimelineHistory } from '../replication/timeline-history.ts'
import type { CaptureSource, PreparedSource, SourceGap } from './capture-source.ts'
import { Interruption } from '@rowtap/core/driver'
import { releaseWithin } from './release-within.ts'
import { guardAgainstStandby } from './standby-guard.ts'
import { StatusTimer } from './status-timer.ts'
import { StreamLiveness } from './stream-liveness.ts'
import { streamingFailed } from './streaming-failed.ts'

/** How long a connection may be silent, in milliseconds, unless the user says otherwise. */
export const DEFAULT_LIVENESS_MS = 10_000

/** How long removing may take when the session ends, or the link is lost, in milliseconds: the server may be gone. */
const END_MS = 5000
const ABANDON_MS = 1000

/** How long the end of a transaction whose changes are handled may take to arrive, in milliseconds. */
const FINISH_MS = 250

/** What a {@link Link} is made of. */
export interface LinkParts {
  readonly control: ControlConnection
  readonly replication: ReplicationConnection
  readonly reader: SocketReader
  readonly relations: RelationRegistry
  readonly attached: AttachedTables
  readonly open: OpenTransactionsOptions | null
  readonly source: CaptureSource
  readonly prepared: PreparedSource
  readonly history: TimelineHistory
  readonly gate: Gate
  readonly fullIdentity: boolean
  readonly pushdown: PushdownSetting
  readonly host: DriverHost
  readonly senderProcessId: number
  readonly senderTimeoutMs: number
  readonly livenessMs: number
}

/**
 * One pair of connections that streams: it lives until either of the two is lost. What comes after is another link.
 *
 * ```
 * streaming ──a connection ends, or is silent──▶ lost ──abandon()──▶ ended
 *     └──────────────────────────────end()─────────────────────────────▲
 * ```
 */
export class Link {
  readonly control: ControlConnection
  readonly relations: RelationRegistry
  readonly prepared: PreparedSource
  readonly stream: ChangeStream
  readonly tables: TableCapture
  readonly pushdown: PushdownSetting
  readonly inFlight: InFlight
  /** Where what is published is written down; `null`: nowhere. */
  readonly memory: CoverageMemory | null
  readonly #replication: ReplicationConnection
  readonly #source: CaptureSource
  readonly #status: StatusTimer
  readonly #liveness: StreamLiveness
  readonly #unguard: () => void
  readonly #lost = Promise.withResolvers<RowtapError>()
  readonly #loss = new Interruption()
  #gap: SourceGap | null
  #beginsAfter: Position | null = null
  #reason: RowtapError | null = null
  #isControlLost = false
  #ending: Promise<void> | null = null

  constructor(parts: LinkParts) {
    const { control, replication, reader, relations, attached, open, prepared, gate, host } = parts
    this.control = control
    this.relations = relations
    attached.publications = Object.values(prepared.name.publications)
    this.prepared = prepared
    this.pushdown = parts.pushdown
    this.#gap = prepared.gap
    this.#replication = replication
    this.#source = parts.source
    this.memory = parts.source.memory?.(control, prepared.name) ?? null
    this.inFlight = new InFlight(prepared.start, parts.history)
    const { inFlight } = this
    this.#status = new StatusTimer({
      inFlight,
      send: (message) => replication.send(message),
      senderTimeoutMs: parts.senderTimeoutMs,
      limit: prepared.limit,
    })
    this.stream = new ChangeStream({
      reader,
      relations,
      inFlight,
      open,
      answer: () => void this.#status.tell(),
      messages: host.messages,
    })
    this.tables = new TableCapture({
      control,
      host,
      name: prepared.name,
      history: parts.history,
      memory: this.memory,
      attached,
      gate,
      fullIdentity: parts.fullIdentity,
      pushesDown: parts.pushdown.isOn && parts.pushdown.isAble,
    })
    this.#liveness = new StreamLiveness({
      control,
      reader,
      processId: parts.senderProcessId,
      livenessMs: Math.min(parts.livenessMs, parts.senderTimeoutMs / 2),
      ask: () => void this.#status.tell(true),
      lose: (error) => this.#lose(connectionLost(error)),
    })
    this.#liveness.start()
    this.#unguard = guardAgainstStandby(control, (error) => this.lose(error))
    control.lost.catch((error: unknown) => {
      this.#isControlLost = true
      // Without the catalogue what arrives cannot be understood.
      this.lose(connectionLost(error))
    })
    replication.failed.catch((error: unknown) => {
      if (!reader.isEnded) this.stream.end()
      this.#lose((open === null ? null : streamingFailed(error)) ?? databaseError(error, 'stream changes'))
    })
  }

  /** What is missing before its first change; `null` where nothing is. */
  get gap(): SourceGap | null {
    return this.#gap
  }

  /** Changes up to here are not whole, and not to be delivered; `null`: all are whole. */
  get beginsAfter(): Position | null {
    return this.#beginsAfter
  }

  /** Says what is missing before its first change, and from where on its changes are whole. */
  beginWithGap(gap: SourceGap, beginsAfter: Position | null): void {
    this.#gap = gap
    this.#beginsAfter = beginsAfter
  }

  /** Resolves with the reason when the link is lost; never where it ends in good order. */
  get lost(): Promise<RowtapError> {
    return this.#lost.promise
  }

  /**
   * What a piece of work comes to, unless the link is lost first.
   *
   * @throws RowtapError the reason of the loss.
   */
  unlessLost<T>(work: () => Promise<T>): Promise<T> {
    return this.#loss.unless(work)
  }

  /** Why the link is lost; `null`: it is not. */
  get reason(): RowtapError | null {
    return this.#reason
  }

  /** Whether the link is lost. */
  get isLost(): boolean {
    return this.#reason !== null
  }

  /** Ends the stream, and counts the link as lost: whether the session can go on, the next one finds out. */
  lose(error: RowtapError): void {
    this.stream.end()
    this.#lose(error)
  }

  /** Delivers the last acknowledgement, ends the stream, and removes what was the session's own. */
  end(): Promise<void> {
    this.#ending ??= this.#end()
    return this.#ending
  }

  /**
   * Closes what is left of a link that is lost, and removes what it can. What its stream has received can still be
   * taken. Never rejects.
   */
  abandon(): Promise<void> {
    this.#ending ??= this.#abandon()
    return this.#ending
  }

  #lose(error: RowtapError): void {
    if (this.#reason !== null) return
    this.#reason = error
    this.#status.stop()
    this.#liveness.stop()
    this.#unguard()
    this.#lost.resolve(error)
    this.#loss.interrupt(error)
  }

  async #abandon(): Promise<void> {
    this.#status.stop()
    this.#liveness.stop()
    this.#unguard()
    await this.#replication.stop(null)
    // What cannot be removed now is removed by the next start.
    if (!this.#isControlLost && !this.#source.isDurable) await this.#release(ABANDON_MS).catch(() => undefined)
    await this.control.end()
  }

  #release(timeoutMs: number): Promise<void> {
    return releaseWithin(() => this.#source.release(this.control, this.prepared.name), timeoutMs)
  }

  async #end(): Promise<void> {
    this.#status.stop()
    this.#liveness.stop()
    this.#unguard()
    // What cannot be understood now comes again.
    await this.stream.finish(FINISH_MS).catch(() => undefined)
    await this.#status.tellAll(ABANDON_MS)
    await this.#replication.stop(() => this.stream.discard())
    try {
      await this.#release(END_MS)
    } finally {
      await this.control.end()
    }
  }
}
