import type { Relation } from '../contract/relation.ts'
import type { TableName } from '../contract/table-name.ts'
import type { TableListener } from '../delivery/table-listener.ts'
import { TableCounters } from '../metrics/table-counters.ts'
import type { Binding } from './binding.ts'
import type { ListenerCondition } from './listener-condition.ts'
import { TableRoute } from './table-route.ts'

/** Finds the listeners of a change's table. */
export class ListenerRouting {
  readonly #byTable = new Map<string, TableRoute>()
  /** The same, found without building a key for each change. Thrown away when a table comes or goes. */
  #byRelation = new WeakMap<Relation, { readonly route: TableRoute | null }>()
  /** Of every table that ever had a listener. */
  readonly #counters = new Map<string, TableCounters>()

  /** Adds a listener, and has it count the changes of its table. */
  add(listener: TableListener, condition: ListenerCondition | null, binding: Binding): void {
    const key = keyOf(listener.request.table)
    const counters = this.#countersOf(key, listener.request.table)
    let route = this.#byTable.get(key)
    if (route === undefined) {
      route = new TableRoute(counters)
      this.#byTable.set(key, route)
      this.#byRelation = new WeakMap()
    }
    route.add(listener, condition, binding)
    listener.counters.begin(counters)
  }

  remove(listener: TableListener): void {
    const key = keyOf(listener.request.table)
    const route = this.#byTable.get(key)
    if (route === undefined) return
    listener.counters.end()
    route.remove(listener)
    if (!route.isEmpty) return
    this.#byTable.delete(key)
    this.#byRelation = new WeakMap()
  }

  /** What was counted for each table that ever had a listener. */
  get counters(): Iterable<TableCounters> {
    return this.#counters.values()
  }

  /** The way to the listeners of a relation's table; `null` where there are none. */
  routeOf(relation: Relation): TableRoute | null {
    let known = this.#byRelation.get(relation)
    if (known === undefined) {
      known = { route: this.#byTable.get(keyOf(relation)) ?? null }
      this.#byRelation.set(relation, known)
    }
    return known.route
  }

  #countersOf(key: string, table: TableName): TableCounters {
    const counters = this.#counters.get(key) ?? new TableCounters(table)
    this.#counters.set(key, counters)
    return counters
  }
}

function keyOf(table: TableName): string {
  return JSON.stringify([table.schema, table.name])
}
