import type { ColumnTypeBook, SequencedLink } from '@rowtap/core/driver'
import { Interruption, RowtapError, SQLSTATE_MEANINGS, statementError } from '@rowtap/core/driver'
import type { RelationOf } from '../catalog/relations.ts'
import type { Connection } from '../connection/connection.ts'
import { lossOf } from '../connection/connection.ts'
import { watchLiveness } from '../connection/liveness.ts'
import type { Consumer } from './consumer.ts'
import type { Server } from './check-server.ts'

/** What a {@link Link} is made of. */
export interface LinkParts {
  /** For everything but reading the queue. */
  readonly control: Connection
  /** Reads the queue. */
  readonly reader: Connection
  readonly server: Server
  readonly columnTypes: ColumnTypeBook
  readonly relationOf: RelationOf
  readonly livenessMs: number
  /** Makes another connection to the same server. */
  readonly connect: (signal: AbortSignal) => Promise<Connection>
}

/** How long what is under way on a connection may take when the other one is lost, in milliseconds. */
const ABANDON_MS = 1000

/**
 * One pair of connections: it lives until either of the two is lost. What comes after is another link.
 *
 * ```
 * linked ──a connection ends, or is silent, or lose()──▶ lost ──abandon()──▶ ended
 *   └───────────────────────────────end()───────────────────────────────────▲
 * ```
 */
export class Link implements SequencedLink {
  readonly control: Connection
  readonly reader: Connection
  readonly server: Server
  readonly columnTypes: ColumnTypeBook
  readonly relationOf: RelationOf
  readonly #stopWatching: () => void
  readonly #lost = Promise.withResolvers<RowtapError>()
  readonly #loss = new Interruption()
  readonly #lostSignal = new AbortController()
  readonly #registered = Promise.withResolvers<Consumer>()
  #consumer: Consumer | null = null
  #isEnding = false

  constructor({ control, reader, server, columnTypes, relationOf, livenessMs, connect }: LinkParts) {
    this.control = control
    this.reader = reader
    this.server = server
    this.columnTypes = columnTypes
    this.relationOf = relationOf
    // Whoever waits for the consumer hears of it where the link ends without one.
    this.#registered.promise.catch(() => undefined)
    this.#stopWatching = watchLiveness(control, reader, livenessMs, connect)
    for (const connection of [control, reader]) {
      const ended = (): void => this.lose(lossOf(connection.ended))
      if (connection.ended.aborted) ended()
      else connection.ended.addEventListener('abort', ended, { once: true })
    }
  }

  /** Resolves with the reason when the link is lost; never where it ends in good order. */
  get lost(): Promise<RowtapError> {
    return this.#lost.promise
  }

  /** Whether the link is lost. */
  get isLost(): boolean {
    return this.#lostSignal.signal.aborted
  }

  /** Aborted when the link is lost, with the reason. */
  get lostSignal(): AbortSignal {
    return this.#lostSignal.signal
  }

  /** What reads the queue; `null` as long as there is nothing to read. */
  get consumer(): Consumer | null {
    return this.#consumer
  }

  /** What reads the queue, as soon as there is something to read. Rejects where the link is lost before. */
  get registered(): Promise<Consumer> {
    return this.#registered.promise
  }

  /** There is something to read. */
  register(consumer: Consumer): void {
    this.#consumer = consumer
    this.#registered.resolve(consumer)
  }

  /**
   * What a piece of work comes to, unless the link is lost first.
   *
   * @throws RowtapError the reason of the loss.
   */
  unlessLost<T>(work: () => Promise<T>): Promise<T> {
    return this.#loss.unless(work)
  }

  /** Nothing more comes of the link, for this reason. */
  lose(error: unknown): void {
    if (this.isLost || this.#isEnding) return
    const reason = RowtapError.is(error) ? error : statementError(error, 'read the change queue', SQLSTATE_MEANINGS)
    this.#stopWatching()
    this.#lostSignal.abort(reason)
    this.#loss.interrupt(reason)
    this.#registered.reject(reason)
    this.#lost.resolve(reason)
  }

  /** Closes what is left of a link that is lost. Never rejects. */
  async abandon(): Promise<void> {
    this.#stopWatching()
    this.#consumer?.abandon()
    await Promise.all([closeWithin(this.reader), closeWithin(this.control)])
  }

  /** Delivers the last acknowledgement, removes what nobody needs any more, and disconnects. */
  async end(): Promise<void> {
    try {
      // A server that falls silent now ends the waiting.
      if (this.#consumer !== null && !this.isLost)
        await this.unlessLost(() => this.#consumer?.close() ?? Promise.resolve())
    } catch (error) {
      // Whoever starts next removes what a lost connection leaves behind.
      if (!this.isLost) throw error
    } finally {
      this.#isEnding = true
      this.#stopWatching()
      await Promise.all([this.reader.close(), this.control.close()])
    }
  }
}

/** Disconnects, in good order where that does not take long. Never rejects. */
async function closeWithin(connection: Connection): Promise<void> {
  const timer = setTimeout(() => connection.drop(new Error('nothing is read any more')), ABANDON_MS)
  await connection.close().catch(() => undefined)
  clearTimeout(timer)
}
