import type { CaptureRequest, TableName } from '@rowtap/core/driver'
import { formatTableName, RowtapError } from '@rowtap/core/driver'
import { checkCapturable, checkOwned, fullIdentity } from '../catalog/check-capturable.ts'
import { withoutIdentity } from '../catalog/old-columns.ts'
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
}

/**
 * Compares what is wanted with what is published. A table stays where it is when fewer operations are wanted:
 * moving it would need a lock, and core leaves out what nobody asked for.
 */
export function publicationPlan(wanted: readonly WantedTable[], published: readonly Published[]): PublicationPlan {
  const add: { facts: TableFacts; kind: PublicationKind }[] = []
  const replace: Published[] = []
  for (const { request, facts } of wanted) {
    const kind = kindOf(request)
    const now = published.find((table) => table.oid === facts.oid)
    if (now?.kind === 'all' || now?.kind === kind) continue
    add.push({ facts, kind })
    if (now !== undefined) replace.push(now)
  }
  const remove = published.filter((table) => !wanted.some(({ facts }) => facts.oid === table.oid))
  return { add, replace, remove }
}

/**
 * Refuses a table that cannot be captured with what is wanted of it, or whose owner would be harmed by that.
 *
 * @throws RowtapError ERR_SETUP_REQUIRED with the statement that helps.
 */
export function checkWanted({ request, facts }: WantedTable, user: string): void {
  checkCapturable(facts)
  checkOwned(facts, user)
  if (kindOf(request) === 'inserts') return
  const name = formatTableName(facts)
  const lacking = withoutIdentity(facts)
  if (lacking !== null) {
    const what = lacking.oid === facts.oid ? `Table ${name}` : `${formatTableName(lacking)}, a partition of ${name},`
    throw new RowtapError('ERR_SETUP_REQUIRED', {
      message:
        `${what} has no replica identity (no primary key, for example): as soon as its updates and deletes were published, PostgreSQL would refuse them. ` +
        `Run: ${fullIdentity(lacking)} — or listen to the operations 'insert' and 'truncate' only.`,
    })
  }
  const virtual = facts.storage.find((storage) => storage.replicaIdentity === 'f' && storage.hasVirtualColumns)
  if (virtual !== undefined) {
    throw new RowtapError('ERR_SETUP_REQUIRED', {
      message:
        `${formatTableName(virtual)} has full replica identity and a virtual generated column: as soon as its updates were published, PostgreSQL would refuse them. ` +
        `Give it the identity of an index (ALTER TABLE … REPLICA IDENTITY DEFAULT), or listen to the operations 'insert' and 'truncate' only.`,
    })
  }
}

function kindOf(request: CaptureRequest): PublicationKind {
  return request.operations.has('update') || request.operations.has('delete') ? 'all' : 'inserts'
}
