import type { Capabilities } from '../capabilities/capabilities.ts'
import { toSql } from '../conditions/to-sql.ts'
import type { CaptureRequest, DriverSession, ResumedRequest, TablePushdown } from '../contract/driver.ts'
import type { Position } from '../contract/position.ts'
import type { Relation } from '../contract/relation.ts'
import type { SnapshotKey } from '../contract/snapshot-source.ts'
import type { TableName } from '../contract/table-name.ts'
import type { TableListener } from '../delivery/table-listener.ts'
import type { Binding } from '../dispatch/binding.ts'
import { bindListener } from '../dispatch/binding.ts'
import type { ListenerCondition } from '../dispatch/listener-condition.ts'
import { listenerCondition } from '../dispatch/listener-condition.ts'
import type { ListenRequest } from '../options/listen-request.ts'
import type { Plan } from '../plan/plan.ts'
import type { ListenerToPlan } from '../plan/planned-listener.ts'
import { plannedListener } from '../plan/planned-listener.ts'
import { snapshotKey } from '../snapshot/snapshot-key.ts'
import type { CaptureWish } from './capture-set.ts'
import { CaptureSet } from './capture-set.ts'
import { KeptWishes } from './kept-wishes.ts'
import { listenerWish, resumedWish } from './listener-wish.ts'
import type { Resumption } from './resumption.ts'

/** A listener whose wishes suit its table. */
export interface BoundListener {
  readonly listener: TableListener
  readonly condition: ListenerCondition | null
  readonly binding: Binding
}

/** A listener's rows that are there before its first change. */
export interface WantedSnapshot {
  readonly key: SnapshotKey
  /** The columns that the listener needs; `null` for all. */
  readonly columns: readonly string[] | null
}

/** A listener that the source captures for. */
export interface AttachedListener extends BoundListener {
  /** `null`: it wants changes only. */
  readonly snapshot: WantedSnapshot | null
  /** What the subscription captured of its table before, where no change of that was handed over yet. Otherwise `null`. */
  readonly resumed: ResumedRequest | null
  readonly wish: CaptureWish
}

/** What becomes of listeners that come and go. */
export interface AttachmentEvents {
  /**
   * The source captures for these listeners everything after this position, and for those that take a resumed table's
   * place everything that it delivers.
   */
  attached(listeners: readonly AttachedListener[], from: Position): void
  /** A listener could not be attached; the others are not concerned. */
  refused(listener: TableListener, error: unknown): void
  /**
   * Less of a table is to be captured than before: what listeners want that have not come yet, or, where it is not wanted
   * any more, everything. Once this resolves, changes are missed.
   */
  letGo(table: TableName, isWanted: boolean): Promise<void>
}

interface Coming extends BoundListener {
  readonly wish: CaptureWish
  readonly snapshot: WantedSnapshot | null
}

/** What a listener was attached with. */
interface AttachedWish {
  readonly wish: CaptureWish
  readonly condition: ListenerCondition | null
  readonly relation: Relation
}

/**
 * Tells the driver which tables are wanted, as listeners come and go: one call at a time, each with the whole set.
 * Listeners that come while a call is under way are attached together by the next.
 */
export class Attachments {
  readonly #session: DriverSession
  readonly #capabilities: Capabilities
  readonly #events: AttachmentEvents
  readonly #resumption: Resumption | null
  readonly #attached = new Map<TableListener, AttachedWish>()
  readonly #kept = new KeptWishes()
  readonly #wanted = new CaptureSet()
  #coming: TableListener[] = []
  /** How many turns of listeners that come are under way, or to be. */
  #attaching = 0
  #turn: Promise<void> = Promise.resolve()

  /** @param resumption the tables that stay wanted until a listener takes their place; `null` where there are none. */
  constructor(
    session: DriverSession,
    capabilities: Capabilities,
    events: AttachmentEvents,
    resumption: Resumption | null = null,
  ) {
    this.#session = session
    this.#capabilities = capabilities
    this.#events = events
    this.#resumption = resumption
    for (const request of resumption?.unclaimed ?? []) this.#wanted.add(resumedWish(request))
  }

  /** Attaches a listener soon. What comes of it is told by the events. */
  attach(listener: TableListener): void {
    this.#coming.push(listener)
    // The turn of the first that comes is for all that come until then.
    if (this.#coming.length > 1) return
    this.#attaching += 1
    this.#turn = this.#turn.then(() => this.#attachComing())
    // Whoever waits for a listener to be ready before attaching another has done so by the next turn of the event loop.
    void this.#turn.then(() => setImmediate(() => this.#hasAttached()))
  }

  /** Lets go of a listener that may come back when the subscription goes on: what it wants stays captured. */
  keep(listener: TableListener): Promise<void> {
    const kept = this.#turn.then(() => {
      const attached = this.#attached.get(listener)
      if (attached !== undefined && this.#attached.delete(listener)) this.#kept.keep(listener, attached.wish)
    })
    this.#turn = kept
    return kept
  }

  /**
   * Lets go of a listener, and of what it wants, also where that was kept. Resolves when the source knows, and rejects
   * where it could not be told.
   */
  detach(listener: TableListener): Promise<void> {
    const detached = this.#turn.then(async () => {
      const wish = this.#attached.get(listener)?.wish ?? this.#kept.letGo(listener)
      if (wish === undefined) return
      this.#attached.delete(listener)
      const { version } = this.#wanted
      this.#wanted.remove(wish)
      // Without rows nothing holds that was kept for listeners with them.
      if (!this.#wanted.hasRows(wish.table)) await this.#events.letGo(wish.table, false)
      if (this.#wanted.version !== version) await this.#session.capture(this.#wanted.requests())
    })
    // A later listener's turn does not depend on whether this one went well: each call states the whole set.
    this.#turn = detached.catch(() => undefined)
    return detached
  }

  /** Lets go of resumed tables that no listener has come for. Resolves when the source knows. */
  release(requests: readonly CaptureRequest[]): Promise<void> {
    const released = this.#turn.then(async () => {
      const { version } = this.#wanted
      for (const request of requests) this.#wanted.remove(resumedWish(request))
      const isLess = this.#wanted.version !== version
      for (const { table } of isLess ? requests : []) await this.#events.letGo(table, this.#wanted.hasRows(table))
      await this.#session.capture(this.#wanted.requests())
    })
    this.#turn = released.catch(() => undefined)
    return released
  }

  /**
   * What would be captured, and how, if listeners with these wishes were attached, too.
   *
   * @throws RowtapError what attaching them would throw before the first statement.
   */
  plan(requests: readonly ListenRequest[]): Promise<Plan> {
    const planned = this.#turn.then(() => this.#plan(requests))
    this.#turn = planned.then(
      () => undefined,
      () => undefined,
    )
    return planned
  }

  async #plan(requests: readonly ListenRequest[]): Promise<Plan> {
    const describe = this.#describeOnce()
    const wanted = new CaptureSet()
    const listeners: Omit<ListenerToPlan, 'pushdown'>[] = []
    const capabilities = this.#capabilities
    // As they were attached, whatever has become of their tables since.
    for (const [{ request }, { wish, condition, relation }] of this.#attached) {
      const binding = bindListener(relation, request, condition)
      listeners.push({ capabilities, request, condition, binding, isAttached: true })
      wanted.add(wish)
    }
    for (const request of requests) {
      const { condition, binding, wish } = await this.#bind(request, await describe(request.table))
      listeners.push({ capabilities, request, condition, binding, isAttached: false })
      wanted.add(wish)
    }
    for (const wish of this.#kept.all) wanted.add(wish)
    for (const request of this.#resumption?.unclaimed ?? []) wanted.add(resumedWish(request))
    const statements = await this.#session.plan(wanted.requests())
    const pushdowns = (await this.#session.pushdown?.(wanted.requests())) ?? []
    const pushdownOf = ({ schema, name }: TableName): TablePushdown | null =>
      pushdowns.find(({ table }) => table.schema === schema && table.name === name) ?? null
    const reads = [...[...this.#attached.keys()].map(({ request }) => request), ...requests].some((one) => one.snapshot)
    const progress = reads ? (this.#session.progressStatements ?? []) : []
    return {
      driver: capabilities.driver,
      listeners: listeners.map((one) => plannedListener({ ...one, pushdown: pushdownOf(one.request.table) })),
      statements: [...statements, ...progress],
    }
  }

  #hasAttached(): void {
    this.#attaching -= 1
    if (this.#attaching === 0) this.#resumption?.open()
  }

  async #attachComing(): Promise<void> {
    const coming = this.#coming.filter((listener) => !listener.isStopped)
    this.#coming = []
    const bound: Coming[] = []
    const describe = this.#describeOnce()
    for (const listener of coming) {
      try {
        const { request } = listener
        const one = await this.#bind(request, await describe(request.table))
        bound.push({ listener, ...one, snapshot: await this.#snapshot(request, one) })
      } catch (error) {
        this.#events.refused(listener, error)
      }
    }
    if (bound.length === 0 || (await this.#capture(bound))) return
    // One of several cannot be captured: taken one by one, the others are not made to pay for it.
    for (const one of bound) await this.#capture([one])
  }

  /**
   * A resumed table has a listener. Where the source is told of conditions, or that listener wants no rows, more than it wants
   * stays captured as long as another one may come that is given what was missed.
   */
  #letGo(request: ResumedRequest): void {
    const wish = resumedWish(request)
    this.#wanted.remove(wish)
    const hasRows = wish.rows === false || this.#wanted.hasRows(request.table)
    if (this.#session.usesConditions !== true && hasRows) return
    this.#wanted.add(wish)
    const remainingMs = this.#resumption?.remainingMs ?? 0
    // Where it fails, the next call states the whole set again. A timer takes no longer time than this.
    const release = (): void => void this.release([request]).catch(() => undefined)
    if (remainingMs < 2 ** 31) setTimeout(release, Math.max(0, remainingMs)).unref()
  }

  /** Describes a table once for all the listeners that are attached together. */
  #describeOnce(): (table: TableName) => Promise<Relation> {
    const relations = new Map<string, Promise<Relation>>()
    return (table) => {
      const key = JSON.stringify([table.schema, table.name])
      const known = relations.get(key) ?? this.#session.describe(table)
      relations.set(key, known)
      return known
    }
  }

  async #bind(request: ListenRequest, relation: Relation): Promise<Omit<Coming, 'listener' | 'snapshot'>> {
    const normalise = this.#session.normalise.bind(this.#session)
    const condition = await listenerCondition(request.where, relation, this.#capabilities, normalise)
    const binding = bindListener(relation, request, condition)
    const wish = listenerWish(request, binding)
    if (this.#session.usesConditions !== true) return { condition, binding, wish }
    const { tree, constants } = condition ?? {}
    const sql = tree === undefined ? null : toSql(tree, relation.columns, constants)
    return {
      condition,
      binding,
      wish: { ...wish, condition: tree === undefined || sql === null ? null : { tree, sql } },
    }
  }

  async #snapshot(
    { snapshot, table }: ListenRequest,
    { binding, wish }: Pick<Coming, 'binding' | 'wish'>,
  ): Promise<WantedSnapshot | null> {
    if (!snapshot) return null
    return { key: await snapshotKey(this.#session, table, binding), columns: wish.columns }
  }

  /** Returns false where the call failed and it is not known which listener is to blame. */
  async #capture(coming: readonly Coming[]): Promise<boolean> {
    for (const { wish } of coming) this.#wanted.add(wish)
    let from: Position
    try {
      from = await this.#session.capture(this.#wanted.requests())
    } catch (error) {
      for (const { wish } of coming) this.#wanted.remove(wish)
      const [only] = coming
      if (coming.length > 1 || only === undefined) return false
      this.#events.refused(only.listener, error)
      return true
    }
    for (const { listener, wish, condition, binding } of coming) {
      this.#attached.set(listener, { wish, condition, relation: binding.relation })
    }
    const resumed = (listener: TableListener): ResumedRequest | null =>
      this.#resumption?.of(listener.request.table) ?? null
    this.#events.attached(
      coming.map((one) => ({ ...one, resumed: resumed(one.listener) })),
      from,
    )
    for (const { listener } of coming) {
      const request = listener.isStopped ? null : resumed(listener)
      if (request !== null && this.#resumption?.claim(request.table) === true) this.#letGo(request)
    }
    return true
  }
}
