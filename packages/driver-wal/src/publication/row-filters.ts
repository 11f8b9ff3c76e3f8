import type { CaptureRequest } from '@rowtap/core/driver'
import type { TableFacts } from '../catalog/table-facts.ts'
import type { TableToPublish } from './publication-plan.ts'
import type { RowFilter } from './row-filter.ts'
import { rowFilter } from './row-filter.ts'

/** The filters that a client's tables are published with. */
export class RowFilters {
  readonly #published = new Map<number, RowFilter>()
  /** Tables whose filters the server does not take. */
  readonly #refused = new Set<number>()

  /** The filter of each table that is published with one, by object id. */
  get published(): ReadonlyMap<number, RowFilter> {
    return this.#published
  }

  /** The filter for the rows that are wanted of a table. */
  of(request: CaptureRequest, facts: TableFacts): RowFilter {
    return this.#refused.has(facts.oid) ? null : rowFilter(request, facts)
  }

  /** The table is published with this filter now, or without one. */
  publish(oid: number, filter: RowFilter): void {
    if (filter === null) this.#published.delete(oid)
    else this.#published.set(oid, filter)
  }

  /** From now on these tables have no filter. Returns whether one of them had one. */
  giveUp(tables: readonly TableToPublish[]): boolean {
    const filtered = tables.filter(({ filter }) => filter !== null)
    for (const { facts } of filtered) this.#refused.add(facts.oid)
    return filtered.length > 0
  }
}
