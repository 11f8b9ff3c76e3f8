import type {
  CaptureRequest,
  ChangeBatch,
  DriverHost,
  DriverSession,
  NormaliseConstants,
  PlannedStatement,
  Position,
  Relation,
  ResumedRequest,
  TableName,
  TablePushdown,
} from '@rowtap/core/driver'
import {
  Interruption,
  LinkSequence,
  normaliseConstants,
  RowtapError,
  SQLSTATE_MEANINGS,
  statementError,
} from '@rowtap/core/driver'
import { findTable } from '../catalog/find-table.ts'
import { LOCK_NOT_AVAILABLE } from '../errors/sqlstate.ts'
import { progressStatements } from '../snapshot/saved-progress.ts'
import { sessionSnapshots } from '../snapshot/session-snapshots.ts'
import type { TriggerSnapshots } from '../snapshot/trigger-snapshots.ts'
import { attachAgain, registerConsumer } from './attach-consumer.ts'
import { CallPatience } from './call-patience.ts'
import type { ConsumerState } from './consumer-state.ts'
import type { Consumer } from './consumer.ts'
import type { Link } from './link.ts'
import type { LinkOptions } from './open-link.ts'
import { openLink } from './open-link.ts'
import { firstPushdown, planFirstCapture } from './plan-capture.ts'
import { pushesDown } from './pushes-down.ts'
import { resumedRequests } from './resumed-requests.ts'

/** How long a call that failed waits to hear whether its link was lost, in milliseconds. */
const LOSS_NOTICE_MS = 1000

/** Others hold locks on what is to be set up again. */
const PASSING: ReadonlySet<string> = new Set([LOCK_NOT_AVAILABLE])

/** What an open session works with. */
export interface TriggerSessionParts {
  readonly link: LinkOptions
  /** Ends every wait of the session's links. */
  readonly ending: AbortController
  /** What the subscription goes on with; `null` where nothing is captured yet. */
  readonly resumed: ConsumerState | null
  /** How far its snapshots were; `null` where nothing is known of that. */
  readonly progress: string | null
}

/**
 * A running capture, over one link after another. The queue is installed, and the session registered as its consumer, when
 * the first table is captured.
 *
 * ```
 *   ┌──────────────────────────a new link──────────────────────────┐
 *   ▼                                                               │
 * linked ──its link is lost──▶ connecting: calls wait
 *   │                            │     └──it cannot be made again──▶ failed: calls and the stream throw the reason
 *   └──close()──▶ closing ◀──────┴──close()──────────────────────────────┘
 *                    └──▶ closed
 * ```
 */
export class TriggerSession implements DriverSession {
  readonly resumed: readonly ResumedRequest[]
  readonly snapshots: TriggerSnapshots
  readonly usesConditions: boolean
  readonly #parts: TriggerSessionParts
  readonly #host: DriverHost
  readonly #links: LinkSequence<Link>
  readonly #ended = Promise.withResolvers<null>()
  readonly #end = new Interruption()
  #newest: Link
  #state: ConsumerState | null
  #call: Promise<unknown> = Promise.resolve()
  #closing: Promise<void> | null = null

  constructor(first: Link, parts: TriggerSessionParts) {
    this.#parts = parts
    const { host, options, signal } = parts.link
    this.#host = host
    this.#newest = first
    this.usesConditions = pushesDown(parts.link)
    this.#state = parts.resumed
    this.resumed = this.#state === null ? [] : resumedRequests(this.#state)
    this.#links = new LinkSequence(first, {
      policy: options.reconnect,
      host: { signal, notify: (notice) => host.notify(notice) },
      passing: PASSING,
      connect: (former) => this.#connect(former),
    })
    this.snapshots = sessionSnapshots({
      context: parts.link,
      searchPath: first.server.search_path,
      resumed: parts.progress,
      link: () => this.#links.current(),
      untilDone: (call) => this.#untilDone(call),
      consumerOf: (link) => this.#consumerOf(link),
      state: () => this.#state,
      passed: () => this.#newest.consumer?.passed() ?? null,
    })
  }

  get progressStatements(): readonly PlannedStatement[] {
    return progressStatements(this.#parts.link)
  }

  describe(table: TableName): Promise<Relation> {
    return this.#onLink(async ({ control, columnTypes, relationOf }) => {
      const found = await findTable(control, this.#parts.link.options.schema, table)
      await columnTypes.read(Number(found.oid))
      return relationOf({ oid: found.oid, name: table }, found.content).relation
    })
  }

  readonly normalise: NormaliseConstants = (constants) =>
    this.#onLink(async ({ control }) => {
      try {
        return await normaliseConstants(control.textRow)(constants)
      } catch (error) {
        throw statementError(error, 'read the constants of a condition', SQLSTATE_MEANINGS)
      }
    })

  plan(requests: readonly CaptureRequest[]): Promise<readonly PlannedStatement[]> {
    return this.#onLink(async (link) => {
      if (link.consumer !== null) return await link.consumer.plan(requests)
      return await planFirstCapture({ ...this.#parts.link, control: link.control, server: link.server }, requests)
    })
  }

  pushdown(requests: readonly CaptureRequest[]): Promise<readonly TablePushdown[]> {
    return this.#onLink(async (link) => {
      if (link.consumer !== null) return await link.consumer.pushdown(requests)
      return await firstPushdown({ ...this.#parts.link, control: link.control }, requests)
    })
  }

  capture(requests: readonly CaptureRequest[]): Promise<Position> {
    return this.#onLink(async (link) => (await this.#consumerOf(link)).capture(requests))
  }

  async *batches(): AsyncGenerator<ChangeBatch, void, undefined> {
    let link: Link | null = this.#newest
    while (link !== null && this.#closing === null) {
      const consumer = await this.#registered(link)
      if (consumer !== null) {
        this.#tellGap()
        yield* consumer.batches()
      }
      if (this.#closing !== null) return
      link = await this.#following(link)
    }
  }

  acknowledge(position: Position): void {
    this.#state?.progress.acknowledge(position)
    this.#state?.notices.acknowledge(position)
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  /** The consumer of a link, registered where there was none yet. */
  async #consumerOf(link: Link): Promise<Consumer> {
    if (link.consumer !== null) return link.consumer
    this.#state = await registerConsumer(this.#parts.link, link)
    return await link.registered
  }

  /** What reads the queue on a link; `null` where it is lost, or the session closed, before there is anything to read. */
  async #registered(link: Link): Promise<Consumer | null> {
    return await Promise.race([link.registered.catch(() => null), this.#ended.promise])
  }

  /** The link that follows one; `null` where the session is about to be closed. */
  async #following(link: Link): Promise<Link | null> {
    try {
      return await Promise.race([this.#links.after(link), this.#ended.promise])
    } catch (error) {
      if (!this.#parts.link.signal.aborted) throw error
      return await this.#ended.promise
    }
  }

  async #connect(former: Link): Promise<Link> {
    const cause = await former.lost
    const link = await openLink(this.#parts.link)
    try {
      const state = this.#state
      if (state !== null) {
        await link.unlessLost(() => attachAgain(this.#parts.link, link, state, cause.message))
      }
      this.#newest = link
      return link
    } catch (error) {
      await link.abandon()
      throw error
    }
  }

  #tellGap(): void {
    const state = this.#state
    if (state === null || state.gap === null) return
    this.#host.notify(state.gap)
    state.gap = null
  }

  /**
   * Runs one call after another, each on a link that lasts until it is done: otherwise it is run again on the next. So it is, on
   * the same one, a few times, where a statement failed for a reason that passes.
   */
  #onLink<T>(call: (link: Link) => Promise<T>): Promise<T> {
    const result = this.#call.then(() => this.#untilDone(call))
    this.#call = result.catch(() => undefined)
    return result
  }

  async #untilDone<T>(call: (link: Link) => Promise<T>): Promise<T> {
    const patience = new CallPatience(this.#parts.link.options.reconnect, this.#parts.link.signal)
    for (;;) {
      const link = await this.#end.unless(() => this.#links.current())
      try {
        return await this.#end.unless(() => link.unlessLost(() => call(link)))
      } catch (error) {
        if (this.#closing !== null) throw error
        if (isLoss(error) && (await this.#isLost(link))) continue
        // Whatever a link was lost for, the sequence of links decides, and waits.
        if (link.isLost || (await patience.waitAfter(error))) continue
        throw error
      }
    }
  }

  /** Whether a link is lost, or is about to be: what fails for that reason may be told before the reason is. */
  async #isLost(link: Link): Promise<boolean> {
    if (link.isLost) return true
    const patience = Promise.withResolvers<void>()
    const timer = setTimeout(patience.resolve, LOSS_NOTICE_MS)
    await Promise.race([link.lost, patience.promise, this.#ended.promise])
    clearTimeout(timer)
    return link.isLost
  }

  async #close(): Promise<void> {
    const reason = new RowtapError('ERR_CLOSED', { message: 'The session is closed.' })
    this.#ended.resolve(null)
    this.#end.interrupt(reason)
    this.#parts.ending.abort(reason)
    await this.snapshots.close()
    await this.#call
    // One that is being made gives up; one that was made meanwhile is the newest.
    const link = await this.#links.current().catch(() => null)
    await link?.end()
  }
}

/** Whether an error says that the connection, or the place in the queue, was lost. */
function isLoss(error: unknown): boolean {
  return RowtapError.is(error, 'ERR_CONNECTION_LOST') || RowtapError.is(error, 'ERR_POSITION_LOST')
}
