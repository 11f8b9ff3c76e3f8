import type {
  CaptureRequest,
  ChangeBatch,
  DriverHost,
  DriverSession,
  NormaliseConstants,
  PlannedStatement,
  Position,
  ReconnectPolicy,
  Relation,
  ResumedRequest,
  SourceHealth,
  TableName,
  TablePushdown,
} from '@rowtap/core/driver'
import { Interruption, isWorthTrying, LinkSequence, RowtapError } from '@rowtap/core/driver'
import pg from 'pg'
import { describeTable, readConstants } from '../catalog/describe-table.ts'
import { databaseError } from '../errors/database-error.ts'
import { SlotHealthWatch } from '../health/slot-health-watch.ts'
import { CaptureWatch } from '../publication/capture-watch.ts'
import { publicationsDropped } from '../publication/dropped-publications.ts'
import { explainPushdown } from '../publication/explain-pushdown.ts'
import { ZERO_LSN } from '../replication/lsn.ts'
import { positionBefore } from '../replication/wal-position.ts'
import type { KeptProgress } from '../snapshot/saved-progress.ts'
import { isUnbroken, progressStatements, saveProgress } from '../snapshot/saved-progress.ts'
import { settledPosition } from '../snapshot/settled-position.ts'
import { snapshotNow } from '../snapshot/wait-until-visible.ts'
import { WalSnapshots } from '../snapshot/wal-snapshots.ts'
import { YieldedTransactions } from '../snapshot/yielded-transactions.ts'
import type { Link } from './link.ts'
import { LinkCalls } from './link-calls.ts'
import { linkAgain } from './link-again.ts'
import type { LinkOptions } from './open-link.ts'
import { resumedRequests } from './resumed-requests.ts'
import { takenOutGap } from '../publication/taken-out-gap.ts'
import { undoneGap } from './undone-gap.ts'
import { UnseenChanges } from './unseen-changes.ts'

/**
 * The slot is in use by a process of the server that is about to end; a publication was dropped while it was streamed, and is
 * made anew, or missed when the connection is.
 */
const PASSING: ReadonlySet<string> = new Set(['55006', '42704'])

/** What an open session works with. */
export interface WalSessionParts {
  readonly link: LinkOptions
  readonly policy: ReconnectPolicy | null
  /** Ends every wait of the session's links. */
  readonly ending: AbortController
  /** How far the subscription's snapshots were when it last ran; `null` where that is not known, or does not hold. */
  readonly progress: KeptProgress | null
}

/**
 * A running capture, over one link after another.
 *
 * ```
 *   ┌──────────────────────────a new link──────────────────────────┐
 *   ▼                                                               │
 * linked ──its link is lost──▶ connecting: calls wait, what has arrived is delivered
 *   │                            │     └──it cannot be made again──▶ failed: calls and the stream throw the reason
 *   └──close()──▶ closing ◀──────┴──close()──────────────────────────────┘
 *                    └──▶ closed
 * ```
 */
export class WalSession implements DriverSession {
  readonly resumed: readonly ResumedRequest[]
  readonly usesConditions: boolean
  readonly snapshots: WalSnapshots
  readonly #parts: WalSessionParts
  readonly #host: DriverHost
  readonly #links: LinkSequence<Link>
  readonly #calls: LinkCalls
  readonly #watch: CaptureWatch
  readonly #health: SlotHealthWatch
  readonly #unseen = new UnseenChanges()
  readonly #yielded = new YieldedTransactions(() => this.#calls.untilDone(({ control }) => snapshotNow(control)))
  readonly #ended = Promise.withResolvers<null>()
  readonly #end = new Interruption()
  /** The link that changes are taken from: one that is lost, until what it had received is delivered. */
  #reading: Link
  /** The newest link. */
  #newest: Link
  /** What is captured. */
  #requests: readonly CaptureRequest[] = []
  /** Where what is captured became live last. */
  #live: { readonly link: Link; readonly from: Position } | null = null
  #acknowledged: Position | null = null
  /** Since when tables are covered without a break, as far as core was told. */
  #since: ReadonlyMap<number, string | null>
  #closing: Promise<void> | null = null

  constructor(first: Link, parts: WalSessionParts) {
    this.#parts = parts
    const { host, attached } = parts.link
    this.#host = host
    this.#reading = first
    this.#newest = first
    this.#since = first.prepared.since
    this.usesConditions = parts.link.driver.pushdown === 'inserts'
    this.resumed = resumedRequests(attached.all, first.prepared.tables, this.usesConditions)
    this.#links = new LinkSequence(first, {
      policy: parts.policy,
      host,
      passing: PASSING,
      connect: (former) => this.#connect(former),
    })
    this.#calls = new LinkCalls({
      links: this.#links,
      end: this.#end,
      ended: this.#ended.promise,
      isClosing: () => this.#closing !== null,
      policy: parts.policy,
      host,
    })
    const newest = (): Link => this.#newest
    const reading = (): Link => this.#reading
    this.#watch = new CaptureWatch({
      host,
      attached,
      fullIdentity: parts.link.driver.replicaIdentity === 'full',
      get control() {
        return newest().control
      },
      get name() {
        return newest().prepared.name
      },
      get passed() {
        return reading().stream.passed
      },
      get memory() {
        return newest().memory
      },
      dropped: (name) => {
        // Another link that was made meanwhile has others.
        if (name === this.#newest.prepared.name) this.#newest.lose(publicationsDropped(name))
      },
      telling: () => {
        // Otherwise core is still to be told of what was missed before the newest link.
        if (this.#reading === this.#newest) this.#telling()
      },
    })
    this.#watch.start()
    this.#health = new SlotHealthWatch({
      query: (text, values) => this.#newest.control.query(text, values),
      get slot() {
        return newest().prepared.name.slot
      },
    })
    const { config, driver } = parts.link
    this.snapshots = new WalSnapshots({
      config,
      types: driver.types ?? pg.types,
      names: attached,
      attached,
      host,
      history: () => this.#newest.inFlight.history,
      yielded: this.#yielded,
      signal: host.signal,
      resumed: parts.progress?.text ?? null,
      resumes: (table) => {
        const oid = attached.byName(table)?.oid
        return oid !== undefined && parts.progress !== null && isUnbroken(oid, parts.progress, first.prepared.since)
      },
      link: () => this.#links.current(),
      passed: () => positionBefore(this.#reading.stream.passed, this.#reading.inFlight.history),
      settled: () =>
        this.#calls.untilDone(({ control, prepared, inFlight }) =>
          settledPosition(control, prepared.name.slot, inFlight.history),
        ),
      saveProgress: (text) => {
        // What is missed from here on the text does not know of.
        const since = this.#since
        return this.#calls.untilDone(({ control, prepared }) => saveProgress(control, prepared.name, { since, text }))
      },
    })
  }

  get progressStatements(): readonly PlannedStatement[] {
    return this.#host.subscription === null ? [] : progressStatements(this.#newest.prepared.name)
  }

  describe(table: TableName): Promise<Relation> {
    const fullIdentity = this.#parts.link.driver.replicaIdentity === 'full'
    return this.#calls.inTurn(({ control, relations }) => describeTable({ control, relations, fullIdentity }, table))
  }

  readonly normalise: NormaliseConstants = (constants) => {
    return this.#calls.inTurn(({ control }) => readConstants(control, constants))
  }

  plan(requests: readonly CaptureRequest[]): Promise<readonly PlannedStatement[]> {
    return this.#calls.inTurn(({ tables }) => tables.plan(requests))
  }

  pushdown(requests: readonly CaptureRequest[]): Promise<readonly TablePushdown[]> {
    return this.#calls.inTurn(async ({ tables, pushdown }) => explainPushdown(await tables.partsOf(requests), pushdown))
  }

  capture(requests: readonly CaptureRequest[]): Promise<Position> {
    return this.#calls.inTurn(async (link) => {
      // Before the first change that a new listener may see is decoded.
      link.relations.compare(requests)
      const capturing = link.tables.capture(requests, {
        passed: () => (this.#reading === link ? link.stream.passed : ZERO_LSN),
        yielded: this.#yielded,
        tell: (notice) => this.#host.notify(notice),
      })
      const from = await capturing.catch((error: unknown) => {
        if (RowtapError.is(error, 'ERR_POSITION_LOST')) link.lose(error)
        throw error
      })
      this.#requests = requests
      this.#live = { link, from }
      // Otherwise core is still to be told of what was missed before this link.
      if (this.#reading === this.#newest) this.#telling()
      return from
    })
  }

  async *batches(): AsyncGenerator<ChangeBatch, void, void> {
    const { gate } = this.#parts.link
    for (;;) {
      const batch = await this.#next()
      if (batch === null) return
      if (gate.isClosed) await this.#end.unless(() => gate.passed()).catch(() => undefined)
      if (this.#closing !== null) return
      const unseen = this.#unseen.of(batch)
      if (unseen === null) continue
      this.#watch.delivered(unseen)
      this.snapshots.yielding(unseen)
      yield unseen
    }
  }

  untilVisible(): Promise<void> {
    return this.snapshots.untilVisible()
  }

  health(): SourceHealth | null {
    return this.#health.last
  }

  acknowledge(position: Position): void {
    this.#acknowledged = position
    this.#reading.inFlight.acknowledge(position)
    if (this.#newest !== this.#reading) this.#newest.inFlight.acknowledge(position)
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  /** The next batch; `null` once the session is closed. */
  async #next(): Promise<ChangeBatch | null> {
    while (this.#closing === null) {
      const batch = await this.#nextOf(this.#reading)
      if (batch !== null) return batch
      // Everything that came through is delivered. What follows comes from the next link, or is the reason why there is none.
      const next = await Promise.race([this.#following(), this.#ended.promise])
      if (next === null) return null
      await this.#reading.stream.release()
      this.#tellGap(this.#reading, next)
      this.#reading = next
    }
    return null
  }

  /** The next batch of a link; `null` where it has no more. */
  async #nextOf(link: Link): Promise<ChangeBatch | null> {
    try {
      return await link.stream.next()
    } catch (error) {
      if (this.#closing !== null) return null
      const reason = databaseError(error, 'stream changes')
      if (reason.code === 'ERR_CONNECTION_LOST' && (await this.#calls.isLost(link))) return null
      if (!isWorthTrying(reason, PASSING)) throw reason
      // What it was in the middle of comes again.
      link.lose(reason)
      return null
    }
  }

  /** The link that follows the one that is read; `null` where the session is about to be closed. */
  async #following(): Promise<Link | null> {
    try {
      return await this.#links.after(this.#reading)
    } catch (error) {
      if (!this.#host.signal.aborted) throw error
      return await this.#ended.promise
    }
  }

  #tellGap(former: Link, next: Link): void {
    const gap = next.gap ?? undoneGap(next, former, this.#lastOf(former))
    this.#telling()
    if (gap !== null) this.#host.notify({ kind: 'gap', ...gap, from: this.#unseen.last ?? gap.from })
    if (gap !== null) void this.#settle(next, gap.to)
    this.#unseen.repeat(next.beginsAfter)
  }

  /** What was missed before a link is told: what it covers is written down now, and not before. */
  async #settle(link: Link, to: Position | null): Promise<void> {
    try {
      await link.unlessLost(async () => link.memory?.settled((missed) => this.#host.notify(takenOutGap(missed, to))))
      if (this.#reading === this.#newest) this.#telling()
    } catch {
      // Where it cannot be written down, the next start tells again.
    }
  }

  /** Core is about to be told of everything that was missed. What it keeps from then on holds. */
  #telling(): void {
    this.#since = this.#newest.memory?.since ?? new Map()
  }

  /** The last position of a link that anybody was told of. */
  #lastOf(link: Link): Position | null {
    const delivered = this.#unseen.last
    const live = this.#live?.link === link ? this.#live.from : null
    return delivered === null || (live !== null && live > delivered) ? live : delivered
  }

  async #connect(former: Link): Promise<Link> {
    const link = await linkAgain(this.#parts.link, {
      link: former,
      last: this.#lastOf(former),
      requests: this.#requests,
    })
    if (this.#acknowledged !== null) link.inFlight.acknowledge(this.#acknowledged)
    this.#newest = link
    return link
  }

  async #close(): Promise<void> {
    this.#ended.resolve(null)
    this.#end.interrupt(closed())
    this.#reading.stream.end()
    this.#watch.stop()
    this.#health.stop()
    this.#parts.ending.abort(closed())
    await this.snapshots.close()
    await this.#calls.done
    // One that is being made gives up; one that was made meanwhile is the newest.
    const link = await this.#links.current().catch(() => null)
    if (this.#reading !== link) await this.#reading.stream.release()
    await link?.end()
  }
}

function closed(): RowtapError {
  return new RowtapError('ERR_CLOSED', { message: 'The session is closed.' })
}
