import type { Relation } from '../contract/relation.ts'
import type { TableName } from '../contract/table-name.ts'
import type { TableListener } from '../delivery/table-listener.ts'

const NOBODY: readonly TableListener[] = []

/** Finds the listeners of a change's table. */
export class ListenerRouting {
  readonly #byTable = new Map<string, readonly TableListener[]>()
  /** The same, found without building a key for each change. Thrown away whenever a listener comes or goes. */
  #byRelation = new WeakMap<Relation, readonly TableListener[]>()

  add(listener: TableListener): void {
    this.#set(listener.request.table, (listeners) => [...listeners, listener])
  }

  remove(listener: TableListener): void {
    this.#set(listener.request.table, (listeners) => listeners.filter((other) => other !== listener))
  }

  listenersOf(relation: Relation): readonly TableListener[] {
    let listeners = this.#byRelation.get(relation)
    if (listeners === undefined) {
      listeners = this.#byTable.get(keyOf(relation)) ?? NOBODY
      this.#byRelation.set(relation, listeners)
    }
    return listeners
  }

  #set(table: TableName, change: (listeners: readonly TableListener[]) => readonly TableListener[]): void {
    const key = keyOf(table)
    const listeners = change(this.#byTable.get(key) ?? NOBODY)
    if (listeners.length === 0) this.#byTable.delete(key)
    else this.#byTable.set(key, listeners)
    this.#byRelation = new WeakMap()
  }
}

function keyOf(table: TableName): string {
  return JSON.stringify([table.schema, table.name])
}
