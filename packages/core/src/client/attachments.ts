import type { CaptureRequest, DriverSession } from '../contract/driver.ts'
import type { Operation } from '../capabilities/capabilities.ts'
import type { Position } from '../contract/position.ts'
import type { Projection } from '../dispatch/projection.ts'
import type { TableListener } from '../delivery/table-listener.ts'

/** What becomes of listeners that come and go. */
export interface AttachmentEvents {
  /** The source captures for these listeners everything after this position. */
  attached(listeners: readonly TableListener[], from: Position): void
  /** A listener could not be attached; the others are not concerned. */
  refused(listener: TableListener, error: unknown): void
}

interface Attached {
  readonly listener: TableListener
  readonly bound: Projection
}

/**
 * Tells the driver which tables are wanted, as listeners come and go: one call at a time, each with the whole set.
 * Listeners that come while a call is under way are attached together by the next.
 */
export class Attachments {
  readonly #session: DriverSession
  readonly #events: AttachmentEvents
  readonly #attached = new Map<TableListener, Projection>()
  #coming: TableListener[] = []
  #turn: Promise<void> = Promise.resolve()

  constructor(session: DriverSession, events: AttachmentEvents) {
    this.#session = session
    this.#events = events
  }

  /** Attaches a listener soon. What comes of it is told by the events. */
  attach(listener: TableListener): void {
    this.#coming.push(listener)
    this.#turn = this.#turn.then(() => this.#attachComing())
  }

  /** Lets go of a listener. Resolves when the source knows, and rejects where it could not be told. */
  detach(listener: TableListener): Promise<void> {
    const detached = this.#turn.then(async () => {
      if (this.#attached.delete(listener)) await this.#session.capture(this.#requests([]))
    })
    // A later listener's turn does not depend on whether this one went well: each call states the whole set.
    this.#turn = detached.catch(() => undefined)
    return detached
  }

  async #attachComing(): Promise<void> {
    const coming = this.#coming.filter((listener) => !listener.isStopped)
    this.#coming = []
    const bound: Attached[] = []
    for (const listener of coming) {
      try {
        bound.push({ listener, bound: listener.bind(await this.#session.describe(listener.request.table)) })
      } catch (error) {
        this.#events.refused(listener, error)
      }
    }
    if (bound.length === 0 || (await this.#capture(bound))) return
    // One of several cannot be captured: taken one by one, the others are not made to pay for it.
    for (const one of bound) await this.#capture([one])
  }

  /** Returns false where the call failed and it is not known which listener is to blame. */
  async #capture(coming: readonly Attached[]): Promise<boolean> {
    try {
      const from = await this.#session.capture(this.#requests(coming))
      for (const { listener, bound } of coming) this.#attached.set(listener, bound)
      this.#events.attached(
        coming.map(({ listener }) => listener),
        from,
      )
      return true
    } catch (error) {
      const [only] = coming
      if (coming.length > 1 || only === undefined) return false
      this.#events.refused(only.listener, error)
      return true
    }
  }

  /** One request for each table: the union of what its listeners want. */
  #requests(coming: readonly Attached[]): CaptureRequest[] {
    const wanted = new Map<
      string,
      { table: CaptureRequest['table']; operations: Set<Operation>; columns: Set<string> | null }
    >()
    const all = [...[...this.#attached].map(([listener, bound]) => ({ listener, bound })), ...coming]
    for (const { listener, bound } of all) {
      if (listener.isStopped) continue
      const { table, operations } = listener.request
      const name = JSON.stringify([table.schema, table.name])
      const request = wanted.get(name) ?? { table, operations: new Set(), columns: new Set() }
      wanted.set(name, request)
      for (const operation of operations) request.operations.add(operation)
      if (listener.request.columns === null) request.columns = null
      for (const column of [...bound.columns, ...bound.key]) request.columns?.add(column.name)
    }
    return [...wanted.values()]
  }
}
