import type { CaptureRequest, TableName } from '@rowtap/core/driver'
import type { TableFacts } from '../catalog/table-facts.ts'
import type { PublicationKind } from './capture-name.ts'
import type { RowFilter } from './row-filter.ts'
import { isWithin } from './row-filter.ts'

/** A table that is in a publication. */
export interface Published extends TableName {
  readonly oid: number
  readonly kind: PublicationKind
}

/** A table, and what of it is to be published. */
export interface TableToPublish {
  readonly facts: TableFacts
  readonly kind: PublicationKind
  readonly filter: RowFilter
}

/** What has to change so that exactly the wanted tables are published. */
export interface PublicationPlan {
  /** Tables that are new, or whose updates and deletes are. */
  readonly add: readonly TableToPublish[]
  /** Tables that are published with fewer operations until the same transaction adds them with all. */
  readonly replace: readonly Published[]
  /** Tables of which fewer rows are wanted than are published. */
  readonly narrow: readonly TableToPublish[]
  /** Tables that nobody wants any more. */
  readonly remove: readonly Published[]
}

/** One wanted table, as the catalogue has it. */
export interface WantedTable {
  readonly request: CaptureRequest
  readonly facts: TableFacts
  /** What of it may be published. */
  readonly kind: PublicationKind
  /** Which of its rows are wanted. */
  readonly filter: RowFilter
}

/**
 * Compares what is wanted with what is published. A table stays where it is when fewer operations are wanted:
 * moving it would need a lock, and core leaves out what nobody asked for.
 *
 * @param filters the filters of the tables that are published with one, by object id.
 */
export function publicationPlan(
  wanted: readonly WantedTable[],
  published: readonly Published[],
  filters: ReadonlyMap<number, RowFilter>,
): PublicationPlan {
  const add: TableToPublish[] = []
  const narrow: TableToPublish[] = []
  const replace: Published[] = []
  for (const { facts, kind, filter } of wanted) {
    const now = published.find((table) => table.oid === facts.oid)
    if (now?.kind === 'all') continue
    const before = filters.get(facts.oid) ?? null
    if (now?.kind === kind && isWithin(filter, before)) {
      if (!isWithin(before, filter)) narrow.push({ facts, kind, filter })
      continue
    }
    add.push({ facts, kind, filter })
    if (now !== undefined) replace.push(now)
  }
  const remove = published.filter((table) => !wanted.some(({ facts }) => facts.oid === table.oid))
  return { add, replace, narrow, remove }
}

/** The publication that a request needs. */
export function kindOf(request: CaptureRequest): PublicationKind {
  return request.operations.has('update') || request.operations.has('delete') ? 'all' : 'inserts'
}
