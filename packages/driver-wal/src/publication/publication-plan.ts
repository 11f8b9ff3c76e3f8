import type { CaptureRequest, TableName } from '@rowtap/core/driver'
import type { TableFacts } from '../catalog/table-facts.ts'
import type { PublicationKind } from './ephemeral-name.ts'

/** A table that is in a publication. */
export interface Published extends TableName {
  readonly oid: number
  readonly kind: PublicationKind
}

/** What has to change so that exactly the wanted tables are published. */
export interface PublicationPlan {
  /** Tables that are new, or whose updates and deletes are. */
  readonly add: readonly { readonly facts: TableFacts; readonly kind: PublicationKind }[]
  /** Tables that are published with fewer operations until the same transaction adds them with all. */
  readonly replace: readonly Published[]
  /** Tables that nobody wants any more. */
  readonly remove: readonly Published[]
}

/** One wanted table, as the catalogue has it. */
export interface WantedTable {
  readonly request: CaptureRequest
  readonly facts: TableFacts
  /** What of it may be published. */
  readonly kind: PublicationKind
}

/**
 * Compares what is wanted with what is published. A table stays where it is when fewer operations are wanted:
 * moving it would need a lock, and core leaves out what nobody asked for.
 */
export function publicationPlan(wanted: readonly WantedTable[], published: readonly Published[]): PublicationPlan {
  const add: { facts: TableFacts; kind: PublicationKind }[] = []
  const replace: Published[] = []
  for (const { facts, kind } of wanted) {
    const now = published.find((table) => table.oid === facts.oid)
    if (now?.kind === 'all' || now?.kind === kind) continue
    add.push({ facts, kind })
    if (now !== undefined) replace.push(now)
  }
  const remove = published.filter((table) => !wanted.some(({ facts }) => facts.oid === table.oid))
  return { add, replace, remove }
}

/** The publication that a request needs. */
export function kindOf(request: CaptureRequest): PublicationKind {
  return request.operations.has('update') || request.operations.has('delete') ? 'all' : 'inserts'
}
