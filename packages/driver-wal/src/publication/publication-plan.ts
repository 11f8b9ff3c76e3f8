import type { CaptureRequest, TableName } from '@rowtap/core/driver'
import type { TableFacts } from '../catalog/table-facts.ts'
import type { PublicationKind } from './capture-name.ts'
import type { PublishedPart } from './published-part.ts'
import { isWithin, WHOLE } from './published-part.ts'

/** A table that is in a publication. */
export interface Published extends TableName {
  readonly oid: number
  readonly kind: PublicationKind
  readonly part: PublishedPart
  /** Its place in the publication: another text whenever somebody has altered it. */
  readonly membership: string
  /** Whether somebody has altered what the publication says of all its tables. */
  readonly isAltered: boolean
  /** A process has ended while it changed the part, and nobody was told what was not in it before. Left out: none has. */
  readonly isInDoubt?: boolean
}

/** A table, and what of it is to be published. */
export interface TableToPublish {
  readonly facts: TableFacts
  readonly kind: PublicationKind
  readonly part: PublishedPart
}

/** What has to change so that exactly the wanted tables are published. */
export interface PublicationPlan {
  /** Tables that are new, or of which more is wanted than is published. */
  readonly add: readonly TableToPublish[]
  /** Those of them that are published in part until the same transaction adds them. */
  readonly replace: readonly Published[]
  /** Tables of which fewer rows, or fewer columns, are wanted than are published. */
  readonly narrow: readonly TableToPublish[]
  /** Tables that nobody wants any more. */
  readonly remove: readonly Published[]
  /** Whether a publication does not say any more what it was made with. */
  readonly isAltered: boolean
}

/** One wanted table, as the catalogue has it. */
export interface WantedTable {
  readonly request: CaptureRequest
  readonly facts: TableFacts
  /** What of it may be published. */
  readonly kind: PublicationKind
  /** Which part of it is wanted. */
  readonly part: PublishedPart
}

/**
 * Compares what is wanted with what is published. A table stays where it is when fewer operations are wanted:
 * moving it would need a lock, and core leaves out what nobody asked for.
 */
export function publicationPlan(wanted: readonly WantedTable[], published: readonly Published[]): PublicationPlan {
  const add: TableToPublish[] = []
  const narrow: TableToPublish[] = []
  const replace: Published[] = []
  for (const { facts, kind, part } of wanted) {
    const now = published.find((table) => table.oid === facts.oid)
    // Only somebody else can have left something of it out.
    if (now?.kind === 'all' && isWithin(WHOLE, now.part)) continue
    if (now?.kind === 'inserts' && kind === 'inserts' && isWithin(part, now.part)) {
      if (!isWithin(now.part, part)) narrow.push({ facts, kind, part })
      continue
    }
    add.push({ facts, kind, part })
    if (now !== undefined) replace.push(now)
  }
  const remove = published.filter((table) => !wanted.some(({ facts }) => facts.oid === table.oid))
  return { add, replace, narrow, remove, isAltered: published.some(({ isAltered }) => isAltered) }
}

/** The publication that a request needs. */
export function kindOf(request: CaptureRequest): PublicationKind {
  return request.operations.has('update') || request.operations.has('delete') ? 'all' : 'inserts'
}
