import type { Relation } from '../contract/relation.ts'
import type { TableListener } from '../delivery/table-listener.ts'
import type { TableCounters } from '../metrics/table-counters.ts'
import type { Binding } from './binding.ts'
import { bindListener } from './binding.ts'
import { checkNamedColumns } from './check-named-columns.ts'
import type { ListenerCondition } from './listener-condition.ts'
import type { RoutedChange } from './routed-change.ts'
import { ShapeRoute } from './shape-route.ts'

/**
 * How many shapes of one table are kept at a time. A table has one; more while it is altered, and where partitions have
 * their columns in another order.
 */
const KEPT_SHAPES = 16

/** A listener's condition, and the table as it was when it was attached. */
interface Attached {
  readonly condition: ListenerCondition | null
  readonly relation: Relation
}

/** The listeners of one table, for each shape in which its rows come. */
export class TableRoute {
  readonly #counters: TableCounters
  readonly #listeners = new Map<TableListener, Attached>()
  /** Those that want no rows. */
  readonly #signalled = new Set<TableListener>()
  readonly #shapes = new Map<string, ShapeRoute>()
  readonly #shapeNames = new WeakMap<Relation, string>()
  #last: { readonly relation: Relation; readonly shape: ShapeRoute } | null = null

  constructor(counters: TableCounters) {
    this.#counters = counters
  }

  get isEmpty(): boolean {
    return this.#listeners.size === 0 && this.#signalled.size === 0
  }

  /** Whether it has listeners without rows. */
  get isSignalled(): boolean {
    return this.#signalled.size > 0
  }

  add(listener: TableListener, condition: ListenerCondition | null, binding: Binding): void {
    if (!listener.request.rows) {
      this.#signalled.add(listener)
      return
    }
    const name = this.#shapeName(binding.relation)
    const shape = this.#shape(name, binding.relation)
    for (const [other, route] of this.#shapes) {
      if (route !== shape) this.#addToOther(other, route, listener, { condition, relation: binding.relation })
    }
    shape.add(listener, condition, binding)
    this.#listeners.set(listener, { condition, relation: binding.relation })
  }

  remove(listener: TableListener): void {
    this.#listeners.delete(listener)
    this.#signalled.delete(listener)
    for (const shape of this.#shapes.values()) shape.remove(listener)
  }

  /**
   * Hands a change to the listeners that want it, and adds them to `takers`.
   *
   * @throws RowtapError where the table was altered in a way that a listener's options do not suit.
   */
  route(routed: RoutedChange, takers: Set<TableListener>): void {
    this.#counters.changes += 1
    if (this.#signalled.size > 0) this.#signal(routed, takers)
    const { relation, withoutRows } = routed.change
    if (this.#listeners.size === 0 || withoutRows === true) return
    if (this.#last?.relation !== relation) {
      this.#last = { relation, shape: this.#shape(this.#shapeName(relation), relation) }
    }
    this.#last.shape.route(routed, takers)
  }

  /** Has listeners without rows told of a change. */
  #signal(routed: RoutedChange, takers: Set<TableListener>): void {
    const { change, entry } = routed
    for (const listener of this.#signalled) {
      if (!listener.request.operations.has(change.kind) || !listener.signal(change, entry)) continue
      routed.takers += 1
      takers.add(listener)
    }
  }

  #addToOther(name: string, route: ShapeRoute, listener: TableListener, attached: Attached): void {
    const { condition, relation } = attached
    try {
      checkNamedColumns(route.relation, listener.request, condition, relation)
      route.add(listener, condition, bindListener(route.relation, listener.request, condition))
    } catch {
      // The listener suits the table as it is, and not as it was: if such a row still comes, this is said then.
      this.#forget(name)
    }
  }

  #shape(name: string, relation: Relation): ShapeRoute {
    const known = this.#shapes.get(name)
    if (known !== undefined) return known
    const shape = new ShapeRoute(relation)
    for (const [listener, { condition, relation: before }] of this.#listeners) {
      checkNamedColumns(relation, listener.request, condition, before)
      shape.add(listener, condition, bindListener(relation, listener.request, condition))
    }
    for (const oldest of this.#shapes.keys()) {
      if (this.#shapes.size < KEPT_SHAPES) break
      this.#forget(oldest)
    }
    this.#shapes.set(name, shape)
    return shape
  }

  /** A shape that comes again is made again. */
  #forget(name: string): void {
    if (this.#last?.shape === this.#shapes.get(name)) this.#last = null
    this.#shapes.delete(name)
  }

  /** Relations of the same shape share what is made of them; types are parsed by each relation's own parsers. */
  #shapeName(relation: Relation): string {
    let name = this.#shapeNames.get(relation)
    if (name === undefined) {
      const columns = relation.columns.map(({ name: column, number, type, mayBeUnavailable, neverSent }) => [
        column,
        number,
        type,
        mayBeUnavailable,
        neverSent,
      ])
      name = JSON.stringify([columns, relation.primaryKey, relation.oldColumns, relation.oldRowsStatement])
      this.#shapeNames.set(relation, name)
    }
    return name
  }
}
