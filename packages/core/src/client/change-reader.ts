import type { Change, ChangeBatch, DriverSession, Transaction } from '../contract/driver.ts'
import type { LogicalMessage } from '../contract/logical-message.ts'
import { position } from '../contract/position.ts'
import type { Position } from '../contract/position.ts'
import type { TableName } from '../contract/table-name.ts'
import type { AcknowledgementEntry } from '../delivery/acknowledgement-tracker.ts'
import { AcknowledgementTracker, areDone } from '../delivery/acknowledgement-tracker.ts'
import { sweep } from '../delivery/inside-handler.ts'
import type { TableListener } from '../delivery/table-listener.ts'
import { ListenerRouting } from '../dispatch/listener-routing.ts'
import { RoutedChange } from '../dispatch/routed-change.ts'
import type { TableCounters } from '../metrics/table-counters.ts'
import { RowtapError } from '../rowtap-error.ts'
import type { AttachedListener } from './attachments.ts'
import type { BatchPart } from './batch-part.ts'
import { detachUnfinished, partOf } from './batch-part.ts'
import type { Resumption } from './resumption.ts'

/** Before every change. */
const BEGINNING: Position = position('')

/** What a reader reads from, and whom it tells what happened. */
export interface ReaderHost {
  readonly driverName: string
  readonly session: DriverSession
  /** What has to be done before these changes are offered to the listeners; `null`: nothing. */
  prepare(changes: readonly Change[]): Promise<void> | null
  /** Resolves when a message is handled; `null` where nobody wants it. */
  handle(message: LogicalMessage): Promise<void> | null
  /** A batch was offered to the listeners. */
  received(changes: number, bytes: number): void
  /** Everything up to a position is done. */
  acknowledge(position: Position): void
  /** The reading came to an end that nobody asked for. */
  failed(error: unknown): void
}

/**
 * Reads the driver's batches, offers each change to the listeners of its table, waits while one of these is full, and
 * keeps account of what is done.
 */
export class ChangeReader {
  readonly #host: ReaderHost
  readonly #resumption: Resumption
  readonly #routing = new ListenerRouting()
  readonly #tracker: AcknowledgementTracker
  /** The listeners whose buffers were full when they were last looked at. */
  readonly #full = new Set<TableListener>()
  #ended: Promise<void> = Promise.resolve()
  #hasStarted = false
  #isStopped = false
  #changes = 0
  /** Where the reading is: a listener that becomes live now sees what comes after. */
  #lastPosition: Position | null = null
  #lastTransaction: Transaction | null = null
  #roomMade: (() => void) | null = null
  /** Ends the wait for the message that is handled now. */
  #messageEnded: (() => void) | null = null

  /** @param resumption the tables whose changes have to wait for a listener. */
  constructor(host: ReaderHost, resumption: Resumption) {
    this.#host = host
    this.#resumption = resumption
    this.#tracker = new AcknowledgementTracker((position) => host.acknowledge(position))
  }

  /** Begins to read, unless it has begun. */
  start(): void {
    if (this.#hasStarted || this.#isStopped) return
    this.#hasStarted = true
    this.#ended = this.#read()
  }

  /** Resolves when nothing is read any more. Never rejects: the host is told of failures. */
  get ended(): Promise<void> {
    return this.#ended
  }

  /** The position up to which everything is done; `null` before the first. */
  get acknowledged(): Position | null {
    return this.#tracker.acknowledged
  }

  /** The position of the last change that was read; `null` before the first. */
  get lastPosition(): Position | null {
    return this.#lastPosition
  }

  /** Everything before this is done; `null`: all that was read. */
  get firstUnfinished(): Position | null {
    return this.#tracker.firstUnfinished
  }

  /** How many deliveries of what was read are not done: a change, or a row of a snapshot, counts once for each listener that it is for. */
  get unfinished(): number {
    return this.#tracker.unfinished
  }

  /** How many changes have been read. */
  get changes(): number {
    return this.#changes
  }

  /** What was counted for each table that ever had a listener. */
  get counters(): Iterable<TableCounters> {
    return this.#routing.counters
  }

  /**
   * The source captures for these listeners everything after this position: they are live. One of a resumed table no
   * change of which was handed over yet is given everything.
   *
   * @param rest further listeners of resumed tables: they are given everything that is still to be read.
   * @throws RowtapError where a table was altered, and another listener's wishes do not suit it any more.
   */
  add(listeners: readonly AttachedListener[], from: Position, rest: ReadonlySet<TableListener>): void {
    // What was read before this moment was committed before it, too, whatever the driver could know of that.
    const now = this.#lastPosition !== null && this.#lastPosition > from ? this.#lastPosition : from
    for (const { listener, condition, binding, resumed } of listeners) {
      if (listener.isStopped) continue
      this.#routing.add(listener, condition, binding)
      if (resumed !== null) listener.live(BEGINNING, null)
      else if (rest.has(listener)) listener.live(this.#lastPosition ?? BEGINNING, null)
      else listener.live(now, this.#lastTransaction)
    }
  }

  /** Whether a change of the table was read while it had a listener. */
  hasRead({ schema, name }: TableName): boolean {
    for (const { table, changes } of this.#routing.counters)
      if (table.schema === schema && table.name === name) return changes > 0
    return false
  }

  /** Whether some of the changes are of a table with a listener without rows. */
  isSignalled(changes: readonly Change[]): boolean {
    return changes.some(({ relation }) => this.#routing.routeOf(relation)?.isSignalled === true)
  }

  /** Offers nothing more to a listener, and does not wait for it. */
  remove(listener: TableListener): void {
    this.#full.delete(listener)
    this.#routing.remove(listener)
    this.roomMade()
  }

  /** These are rows of a snapshot, whose deliveries count like those of changes that were read. */
  given(entry: AcknowledgementEntry): void {
    this.#tracker.addRows(entry)
  }

  /** One delivery of these changes is done. */
  done(entry: AcknowledgementEntry): void {
    this.#tracker.done(entry)
  }

  /** There may be room again. */
  roomMade(): void {
    this.#roomMade?.()
  }

  /** No further batch is read. */
  stop(): void {
    this.#isStopped = true
    this.#resumption.end()
    this.#messageEnded?.()
    this.roomMade()
  }

  /** Nothing is acknowledged from now on. */
  stopAcknowledging(): void {
    this.#tracker.stop()
  }

  async #read(): Promise<void> {
    try {
      for await (const batch of this.#host.session.batches()) {
        await this.#take(batch)
        if (this.#isStopped) return
      }
      if (this.#isStopped) return
      throw new RowtapError('ERR_DRIVER_CONTRACT', {
        message: `The driver '${this.#host.driverName}' ended its stream of changes while the client was open.`,
      })
    } catch (error) {
      this.#host.failed(error)
    }
  }

  /** Dispatches a batch, up to each message, and each change that has to wait for a listener. */
  async #take(batch: ChangeBatch): Promise<void> {
    const { changes, messages = [] } = batch
    const entries: AcknowledgementEntry[] = []
    let from = 0
    let message = 0
    while (!this.#isStopped) {
      const next = messages[message]
      const to = Math.min(this.#resumption.heldAt(changes, from), next?.at ?? changes.length)
      if (to > from) {
        const ready = partOf(batch, from, to)
        const prepared = this.#host.prepare(ready.changes)
        if (prepared !== null) {
          await prepared
          // What was waited for may not have come about: without it nobody is given these changes.
          if (this.#isStopped) return
        }
        await this.#deliver(ready, entries)
        if (this.#isFull()) await this.#room()
        from = to
      }
      if (next?.at === to) {
        if (!this.#isStopped) await this.#handle(next.message)
        message += 1
        continue
      }
      const waiting = changes[to]
      if (waiting === undefined) {
        if (areDone(entries)) batch.release?.()
        return
      }
      await this.#resumption.settled(waiting.relation)
    }
  }

  /** Resolves when a message is handled, or nothing is read any more: what comes after it waits for it. */
  async #handle(message: LogicalMessage): Promise<void> {
    this.#goTo(message)
    const entry = this.#tracker.add(message.position)
    const handled = this.#host.handle(message)
    if (handled === null) {
      this.#tracker.settle()
      return
    }
    entry.pending = 1
    const done = handled.then(
      () => this.#tracker.done(entry),
      (error: unknown) => this.#host.failed(error),
    )
    // A promise for the reader's end that is raced with each message would remember them all.
    await new Promise<void>((resolve, reject) => {
      this.#messageEnded = resolve
      done.then(resolve, reject)
    })
    this.#messageEnded = null
  }

  /** Offers changes to the listeners. Resolves when handlers that are quick are done with them. */
  async #deliver(batch: BatchPart, entries: AcknowledgementEntry[]): Promise<void> {
    const routed = this.#dispatch(batch, entries)
    // What is read before these are done with is more that lives at a time, and costs more to collect.
    if (!areDone(entries)) await new Promise<void>((resolve) => void setImmediate(resolve))
    detachUnfinished(batch, routed)
  }

  #dispatch(batch: BatchPart, entries: AcknowledgementEntry[]): readonly RoutedChange[] {
    const bytes = Math.ceil(batch.bytes / Math.max(1, batch.changes.length))
    const touched = new Set<TableListener>()
    const routed: RoutedChange[] = []
    let entry: AcknowledgementEntry | null = null
    let first: Change | null = null
    let last: Change | null = null
    for (const change of batch.changes) {
      if (entry === null || change.transaction !== this.#lastTransaction) {
        if (entry !== null && last !== null && last !== first) this.#endEntry(entry, last)
        this.#goTo(change)
        first = change
        entry = this.#tracker.add(change.position)
        entries.push(entry)
        this.#lastTransaction = change.transaction
      }
      last = change
      const route = this.#routing.routeOf(change.relation)
      if (route === null) continue
      const one = new RoutedChange(change, entry, bytes)
      route.route(one, touched)
      entry.pending += one.takers
      if (one.takers > 0) routed.push(one)
    }
    if (entry !== null && last !== null && last !== first) this.#endEntry(entry, last)
    this.#changes += batch.changes.length
    this.#host.received(batch.changes.length, batch.bytes)
    this.#tracker.settle()
    sweep(() => {
      for (const listener of touched) listener.wake()
    })
    for (const listener of touched) {
      if (!listener.hasRoom) this.#full.add(listener)
    }
    return routed
  }

  /**
   * The last change that is acknowledged with an entry. Of those between the first and the last the position does not
   * matter, and making it can cost more than all else does for a change that nobody wants.
   */
  #endEntry(entry: AcknowledgementEntry, change: Change): void {
    this.#goTo(change)
    entry.last = change.position
  }

  #goTo({ id, position }: Pick<Change, 'id' | 'position'>): void {
    if (this.#lastPosition !== null && position <= this.#lastPosition) {
      throw new RowtapError('ERR_DRIVER_CONTRACT', {
        message: `The driver '${this.#host.driverName}' delivered position ${position} after ${this.#lastPosition}: positions must grow.`,
        eventId: id,
      })
    }
    this.#lastPosition = position
  }

  /** Resolves when every listener can take more. Meanwhile nothing is read, so that memory stays bounded. */
  async #room(): Promise<void> {
    while (!this.#isStopped && this.#isFull()) {
      await new Promise<void>((resolve) => {
        this.#roomMade = resolve
      })
      this.#roomMade = null
    }
  }

  #isFull(): boolean {
    for (const listener of this.#full) if (listener.hasRoom) this.#full.delete(listener)
    return this.#full.size > 0
  }
}
