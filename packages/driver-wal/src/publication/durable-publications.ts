import type { PlannedStatement } from '@rowtap/core/driver'
import type { ControlConnection } from '../connection/control-connection.ts'
import type { CaptureName, PublicationKind } from './capture-name.ts'
import type { Published } from './publication-plan.ts'
import { createPublication, EXISTING_PUBLICATIONS, PUBLISHED_TABLES } from './publication-sql.ts'
import { readFilter } from './row-filter.ts'
import { inTransaction } from './transaction-statements.ts'

const KINDS: readonly PublicationKind[] = ['all', 'inserts']

type Column = 'publication' | 'membership' | 'as_made' | 'oid' | 'schema' | 'name' | 'filter' | 'columns'

/** The publications of a subscription as they are. */
export interface DurablePublications {
  /** Those that are not there. */
  readonly missing: readonly PublicationKind[]
  readonly tables: readonly Published[]
}

/** Looks at a subscription's publications. The error of a failure is `pg`'s. */
export async function readPublications(control: ControlConnection, name: CaptureName): Promise<DurablePublications> {
  const names = KINDS.map((kind) => name.publications[kind])
  const there = (await control.query<'name'>(EXISTING_PUBLICATIONS, names)).map((row) => row.name)
  return {
    missing: KINDS.filter((kind) => !there.includes(name.publications[kind])),
    tables: await readPublished(control, name),
  }
}

/** The tables that a client's publications hold. The error of a failure is `pg`'s. */
export async function readPublished(
  control: ControlConnection,
  { publications }: CaptureName,
): Promise<readonly Published[]> {
  const { all, inserts } = publications
  const rows = await control.prepared<Column>('rowtap_published', PUBLISHED_TABLES, [all, inserts])
  return rows.map((row) => ({
    oid: Number(row.oid),
    schema: row.schema ?? '',
    name: row.name ?? '',
    kind: row.publication === all ? 'all' : 'inserts',
    membership: row.membership ?? '',
    isAltered: row.as_made !== 't',
    // The statement builds the document, so its shape is known here.
    part: {
      rows: row.filter === null ? null : readFilter(row.filter),
      columns: JSON.parse(row.columns ?? 'null') as string[] | null,
    },
  }))
}

/** The statements that make what is missing: one transaction. */
export function creationsOf(
  { publications }: CaptureName,
  { missing }: DurablePublications,
  serverVersion: number,
): readonly PlannedStatement[] {
  if (missing.length === 0) return []
  return inTransaction(
    missing.map((kind) => ({
      sql: createPublication(publications[kind], kind, serverVersion),
      purpose: 'Makes an empty publication of the subscription, which stays when the client is closed.',
      table: null,
    })),
  )
}
