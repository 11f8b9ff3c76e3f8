import type { Capabilities } from '../capabilities/capabilities.ts'
import type { CaptureRequest, Change, DriverNotice } from '../contract/driver.ts'
import type { Position } from '../contract/position.ts'
import type { AcknowledgementEntry } from '../delivery/acknowledgement-tracker.ts'
import type { TableListener } from '../delivery/table-listener.ts'
import type { ListenRequest } from '../options/listen-request.ts'
import type { Plan } from '../plan/plan.ts'
import { ClientSnapshots } from '../snapshot/client-snapshots.ts'
import type { AttachedListener } from './attachments.ts'
import { Attachments } from './attachments.ts'
import type { ReaderHost } from './change-reader.ts'
import { ChangeReader } from './change-reader.ts'
import { asRowtapError, clientClosed } from './client-errors.ts'
import { lackingNotice } from './lacking-notice.ts'
import { expiredNotice, fewerOperationsNotice, lateNotice, Resumption } from './resumption.ts'

/** The client whose listeners they are. */
export interface ListenersHost extends ReaderHost {
  readonly isDurable: boolean
  /** Whether it neither closes nor has ended. */
  readonly isOpen: boolean
  readonly done: (entry: AcknowledgementEntry) => void
  readonly roomMade: () => void
  /** Tells its user of something that is not a change. */
  notify(notice: DriverNotice): void
}

/** A client's listeners, from their coming to their end, and what is read for them. */
export class ClientListeners {
  readonly reader: ChangeReader
  readonly snapshots: ClientSnapshots
  readonly #host: ListenersHost
  readonly #attached = new Set<TableListener>()
  /** Those that are detached, and whose handlers are not done yet. */
  readonly #ending = new Set<TableListener>()
  readonly #resumption: Resumption
  readonly #attachments: Attachments

  /** @param resumeTimeoutMs how long what a subscription captured before waits for its listeners. */
  constructor(host: ListenersHost, capabilities: Capabilities, resumeTimeoutMs: number) {
    this.#host = host
    const { session, isDurable } = host
    this.#resumption = new Resumption(session.resumed ?? [], resumeTimeoutMs, {
      notify: (notice) => host.notify(notice),
      expired: (tables) => this.#expired(tables),
    })
    this.#attachments = new Attachments(
      session,
      capabilities,
      {
        attached: (listeners, from) => this.#haveCome(listeners, from),
        refused: (listener, error) => this.#refused(listener, error),
        letGo: (table, isWanted) => this.snapshots.forget([table], isWanted ? 'absent' : 'all'),
      },
      this.#resumption,
    )
    const reader = new ChangeReader(host, this.#resumption)
    this.reader = reader
    this.snapshots = new ClientSnapshots({
      session,
      isDurable,
      get dispatched() {
        return reader.lastPosition
      },
      get firstUnfinished() {
        return reader.firstUnfinished
      },
      given: (entry) => reader.given(entry),
      done: host.done,
      roomMade: host.roomMade,
      failed: (error) => host.failed(error),
      unreadable: (listener, error) => this.#unreadable(listener, error),
    })
  }

  /** Those that are attached, or are about to be. */
  get attached(): ReadonlySet<TableListener> {
    return this.#attached
  }

  /** Those that are detached, and whose handlers are not done yet. */
  get ending(): ReadonlySet<TableListener> {
    return this.#ending
  }

  get every(): readonly TableListener[] {
    return [...this.#attached, ...this.#ending]
  }

  /** Attaches a listener soon. */
  add(listener: TableListener): void {
    this.#attached.add(listener)
    this.#attachments.attach(listener)
  }

  /** @throws RowtapError what attaching listeners like these would throw before the first statement. */
  plan(requests: readonly ListenRequest[]): Promise<Plan> {
    return this.#attachments.plan(requests)
  }

  /** There may be room again, for changes or for rows. */
  roomMade(): void {
    this.reader.roomMade()
    this.snapshots.roomMade()
  }

  /** What has to be done before these changes are offered to the listeners; `null`: nothing. */
  prepare(changes: readonly Change[]): Promise<void> | null {
    const visible = this.#visible(changes)
    if (!this.snapshots.mustForget(changes)) return visible
    const forgotten = this.snapshots.forget(changes.map(({ relation }) => relation))
    return visible === null ? forgotten : Promise.all([visible, forgotten]).then(() => undefined)
  }

  /** Who is told only that a table has changed reads it: what was told then has to be there. `null`: it is. */
  #visible(changes: readonly Change[]): Promise<void> | null {
    const { session } = this.#host
    if (session.untilVisible === undefined || !this.reader.isSignalled(changes)) return null
    return session.untilVisible().catch((error: unknown) => {
      if (this.#host.isOpen) throw error
    })
  }

  /** A listener's user wants no further changes. Resolves when the source knows. */
  async detach(listener: TableListener): Promise<void> {
    this.#forget(listener)
    this.#endsSoon(listener)
    if (!this.#host.isOpen) return
    try {
      if (this.#host.isDurable && listener.mayComeBack) {
        this.snapshots.leave(listener)
        await this.#attachments.keep(listener)
        return
      }
      await this.snapshots.remove(listener)
      await this.#attachments.detach(listener)
    } catch (error) {
      // While the client closes, the session's end removes what the listener had.
      if (this.#host.isOpen) throw asRowtapError(this.#host.driverName, error)
    }
  }

  /**
   * After a gap between two places of the stream, what was read before it does not go with what comes after it. Where nobody
   * knows whether it has ended, those that are here are told, and those that are not begin anew when they come.
   */
  told(notice: DriverNotice): void {
    if (notice.kind !== 'gap') return
    if (notice.to === null) this.snapshots.missing(notice.tables ?? null)
    else this.snapshots.missed(notice.tables ?? null)
  }

  /** Somebody is there to take what is read. */
  read(): void {
    this.#resumption.begin()
    this.reader.start()
  }

  /** The client has ended. */
  clear(): void {
    for (const listener of this.#attached) listener.counters.end()
    this.#attached.clear()
    this.#ending.clear()
  }

  #haveCome(listeners: readonly AttachedListener[], from: Position): void {
    try {
      const rest = new Set<TableListener>()
      const notices: DriverNotice[] = []
      for (const { listener, snapshot, condition, binding, resumed, wish } of listeners) {
        if (listener.isStopped) continue
        const { table, operations } = listener.request
        const begun = this.#resumption.begunOf(table, this.#reached)
        if (begun !== undefined) rest.add(listener)
        if (snapshot !== null && this.snapshots.add({ listener, condition, binding, ...snapshot })) rest.add(listener)
        else if (snapshot === null && begun !== undefined && this.reader.hasRead(table))
          notices.push(lateNotice(begun, this.reader.lastPosition))
        const known = resumed ?? begun ?? null
        const fewer = known === null ? null : fewerOperationsNotice(known, operations, from)
        if (fewer !== null) notices.push(fewer)
        const lacking = known === null ? null : lackingNotice(known, wish, from)
        if (lacking !== null) notices.push(lacking)
      }
      this.reader.add(listeners, from, rest)
      for (const { listener } of listeners) listener.snapshot?.begin()
      for (const notice of notices) this.#host.notify(notice)
      this.#resumption.attached(from)
      this.read()
    } catch (error) {
      // The table was altered, and another listener's wishes do not suit it any more.
      this.#host.failed(error)
    }
  }

  /** How far the changes were read; `null` where that is not known. */
  get #reached(): Position | null {
    const { lastPosition } = this.reader
    const passed = this.#host.session.snapshots?.passed() ?? null
    return passed !== null && (lastPosition === null || passed > lastPosition) ? passed : lastPosition
  }

  #expired(tables: readonly CaptureRequest[]): void {
    for (const table of tables) this.#host.notify(expiredNotice(table, this.reader.acknowledged))
    this.#attachments.release(tables).catch((error: unknown) => {
      if (this.#host.isOpen) this.#host.failed(error)
    })
  }

  #refused(listener: TableListener, error: unknown): void {
    this.#forget(listener)
    if (listener.isStopped) return
    const reason = this.#host.isOpen ? asRowtapError(this.#host.driverName, error) : clientClosed()
    const seen = listener.fail(reason)
    // Nobody looks at this listener's `ready`: that it will never deliver must not go unnoticed.
    if (!seen && this.#host.isOpen) this.#host.failed(reason)
  }

  /** A listener's rows cannot be read: it ends. What it has received is left, as when its user had left it. */
  #unreadable(listener: TableListener, cause: unknown): void {
    if (!this.#host.isOpen || listener.isStopped) return
    const error = asRowtapError(this.#host.driverName, cause)
    if (error.code === 'ERR_CONNECTION_LOST') {
      this.#host.failed(error)
      return
    }
    const seen = listener.fail(error, 'left')
    // Nobody waits for its rows: that no more of them come must not go unnoticed.
    if (!seen) this.#host.failed(error)
    else this.detach(listener).catch((detachError: unknown) => this.#host.failed(detachError))
  }

  #forget(listener: TableListener): void {
    this.#attached.delete(listener)
    this.reader.remove(listener)
  }

  /** What it has received is handed over yet, or its handlers run: until then the client's end waits for it. */
  #endsSoon(listener: TableListener): void {
    this.#ending.add(listener)
    void listener.drain(null).then(() => this.#ending.delete(listener))
  }
}
