import type { Change, ChangeBatch, DriverSession, Transaction } from '../contract/driver.ts'
import type { Position } from '../contract/position.ts'
import type { AcknowledgementEntry } from '../delivery/acknowledgement-tracker.ts'
import { AcknowledgementTracker } from '../delivery/acknowledgement-tracker.ts'
import { sweep } from '../delivery/inside-handler.ts'
import type { TableListener } from '../delivery/table-listener.ts'
import { ListenerRouting } from '../dispatch/listener-routing.ts'
import { RoutedChange } from '../dispatch/routed-change.ts'
import type { TableCounters } from '../metrics/table-counters.ts'
import { RowtapError } from '../rowtap-error.ts'
import type { BoundListener } from './attachments.ts'

/** What a reader reads from, and whom it tells what happened. */
export interface ReaderHost {
  readonly driverName: string
  readonly session: DriverSession
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
  readonly #routing = new ListenerRouting()
  readonly #tracker: AcknowledgementTracker
  /** The listeners whose buffers were full when they were last looked at. */
  readonly #full = new Set<TableListener>()
  #ended: Promise<void> = Promise.resolve()
  #isStopped = false
  #changes = 0
  /** Where the reading is: a listener that becomes live now sees what comes after. */
  #lastPosition: Position | null = null
  #lastTransaction: Transaction | null = null
  #roomMade: (() => void) | null = null

  constructor(host: ReaderHost) {
    this.#host = host
    this.#tracker = new AcknowledgementTracker((position) => host.acknowledge(position))
  }

  /** Begins to read. Called once. */
  start(): void {
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

  /** How many deliveries of what was read are not done: a change counts once for each listener that it is for. */
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
   * The source captures for these listeners everything after this position: they are live.
   *
   * @throws RowtapError where a table was altered, and another listener's wishes do not suit it any more.
   */
  add(listeners: readonly BoundListener[], from: Position): void {
    // What was read before this moment was committed before it, too, whatever the driver could know of that.
    const position = this.#lastPosition !== null && this.#lastPosition > from ? this.#lastPosition : from
    for (const { listener, condition, binding } of listeners) {
      if (listener.isStopped) continue
      this.#routing.add(listener, condition, binding)
      listener.live(position, this.#lastTransaction)
    }
  }

  /** Offers nothing more to a listener, and does not wait for it. */
  remove(listener: TableListener): void {
    this.#full.delete(listener)
    this.#routing.remove(listener)
    this.roomMade()
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
    this.roomMade()
  }

  /** Nothing is acknowledged from now on. */
  stopAcknowledging(): void {
    this.#tracker.stop()
  }

  async #read(): Promise<void> {
    try {
      for await (const batch of this.#host.session.batches()) {
        if (this.#isStopped) return
        this.#dispatch(batch)
        await this.#room()
      }
      if (this.#isStopped) return
      throw new RowtapError('ERR_DRIVER_CONTRACT', {
        message: `The driver '${this.#host.driverName}' ended its stream of changes while the client was open.`,
      })
    } catch (error) {
      this.#host.failed(error)
    }
  }

  #dispatch(batch: ChangeBatch): void {
    const bytes = Math.ceil(batch.bytes / Math.max(1, batch.changes.length))
    const touched = new Set<TableListener>()
    const routed: RoutedChange[] = []
    let entry: AcknowledgementEntry | null = null
    for (const change of batch.changes) {
      this.#checkOrder(change)
      if (entry === null || change.transaction !== this.#lastTransaction) entry = this.#tracker.add(change.position)
      else entry.last = change.position
      this.#lastPosition = change.position
      this.#lastTransaction = change.transaction
      const route = this.#routing.routeOf(change.relation)
      if (route === null) continue
      const one = new RoutedChange(change, entry, bytes)
      route.route(one, touched)
      entry.pending += one.takers
      if (one.takers > 0) routed.push(one)
    }
    this.#changes += batch.changes.length
    this.#host.received(batch.changes.length, batch.bytes)
    this.#tracker.settle()
    sweep(() => {
      for (const listener of touched) listener.wake()
    })
    detachUnfinished(batch, routed)
    for (const listener of touched) {
      if (!listener.hasRoom) this.#full.add(listener)
    }
  }

  #checkOrder(change: Change): void {
    if (this.#lastPosition === null || change.position > this.#lastPosition) return
    throw new RowtapError('ERR_DRIVER_CONTRACT', {
      message: `The driver '${this.#host.driverName}' delivered position ${change.position} after ${this.#lastPosition}: positions must grow.`,
      eventId: change.id,
    })
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

/**
 * A change may hold on to everything that was received with it. Where few of a batch are not done with at once, they are
 * given memory of their own, so that what is held is about what it is counted for.
 */
function detachUnfinished(batch: ChangeBatch, routed: readonly RoutedChange[]): void {
  const unfinished = routed.filter((change) => change.unfinished > 0)
  if (unfinished.length * 2 >= batch.changes.length) return
  for (const change of unfinished) change.detach()
}
