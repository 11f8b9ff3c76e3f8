import { formatLsn, parseLsn } from '../replication/lsn.ts'
import type { Lsn } from '../replication/lsn.ts'
import type { Coverage, CoveredTable } from '../publication/coverage.ts'

/** What a subscription was like when a session with it last wrote that down. It holds no values of rows. */
export interface SubscriptionRecord extends Coverage {
  /** The server's. */
  readonly systemId: string
  /** Which session wrote it. */
  readonly session: string
  /** How far the slot was when that session ended in good order; `null`: it did not, or runs. */
  readonly closedAt: Lsn | null
}

/** A table in as little text as it takes. */
type StoredTable = readonly [oid: number, member: number, isAll: 0 | 1, schema: string, name: string]

interface StoredRecord {
  readonly version: 1
  readonly system: string
  readonly session: string
  readonly closed: string | null
  readonly publications: readonly number[]
  readonly tables: readonly StoredTable[]
}

/** The text that is kept. */
export function recordText(record: SubscriptionRecord): string {
  const stored: StoredRecord = {
    version: 1,
    system: record.systemId,
    session: record.session,
    closed: record.closedAt === null ? null : formatLsn(record.closedAt),
    publications: record.publications,
    tables: record.tables.map(({ oid, member, kind, schema, name }) => [
      oid,
      member,
      kind === 'all' ? 1 : 0,
      schema,
      name,
    ]),
  }
  return JSON.stringify(stored)
}

/** What was kept; `null` where it was not written by {@link recordText}. */
export function parseRecord(text: string | null): SubscriptionRecord | null {
  if (text === null) return null
  try {
    const stored: unknown = JSON.parse(text)
    return isRecord(stored) ? recordOf(stored) : null
  } catch {
    // Somebody else's text: nothing is known.
    return null
  }
}

function recordOf({ system, session, closed, publications, tables }: StoredRecord): SubscriptionRecord {
  return {
    systemId: system,
    session,
    closedAt: closed === null ? null : parseLsn(closed),
    publications,
    tables: tables.map(([oid, member, isAll, schema, name]): CoveredTable => ({
      oid,
      member,
      kind: isAll === 1 ? 'all' : 'inserts',
      schema,
      name,
    })),
  }
}

function isRecord(value: unknown): value is StoredRecord {
  return (
    typeof value === 'object' &&
    value !== null &&
    'version' in value &&
    value.version === 1 &&
    'system' in value &&
    typeof value.system === 'string' &&
    'tables' in value &&
    Array.isArray(value.tables) &&
    'publications' in value &&
    Array.isArray(value.publications)
  )
}
