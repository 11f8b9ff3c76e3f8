import type { KnownTable } from '../publication/coverage.ts'
import type { KnownPartition } from '../publication/partition.ts'
import { formatLsn, parseLsn } from '../replication/lsn.ts'
import type { Lsn } from '../replication/lsn.ts'

/** A table that is covered, and since when it is without a break. */
export interface RecordedTable extends KnownTable {
  /** A text that was drawn then; `null`: since nobody knows when. */
  readonly since: string | null
}

/** What a subscription was like when a session with it last wrote that down. It holds no values of rows. */
export interface SubscriptionRecord {
  /** The server's. */
  readonly systemId: string
  /** The timeline of the server's log; `null`: not known. */
  readonly timeline: number | null
  /** Which session wrote it. */
  readonly session: string
  /** How far the slot was when that session ended in good order; `null`: it did not, or runs. */
  readonly closedAt: Lsn | null
  /** The object ids of the publications. */
  readonly publications: readonly number[]
  readonly tables: readonly RecordedTable[]
}

type StoredPartition = readonly [oid: number, file: number, link: string | null, schema: string, name: string]

/** A table in as little text as it takes. */
type StoredTable = readonly [
  oid: number,
  member: number,
  isAll: 0 | 1,
  schema: string,
  name: string,
  since?: string | null,
  partitions?: readonly StoredPartition[] | null,
]

interface StoredRecord {
  readonly version: 1
  readonly system: string
  readonly timeline?: number | null
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
    timeline: record.timeline,
    session: record.session,
    closed: record.closedAt === null ? null : formatLsn(record.closedAt),
    publications: record.publications,
    tables: record.tables.map(({ oid, member, kind, schema, name, since, partitions }) => [
      oid,
      member,
      kind === 'all' ? 1 : 0,
      schema,
      name,
      since,
      partitions?.map((partition) => [
        partition.oid,
        partition.file,
        partition.link,
        partition.schema,
        partition.name,
      ]) ?? null,
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

function recordOf({ system, timeline, session, closed, publications, tables }: StoredRecord): SubscriptionRecord {
  return {
    systemId: system,
    timeline: timeline ?? null,
    session,
    closedAt: closed === null ? null : parseLsn(closed),
    publications,
    tables: tables.map(([oid, member, isAll, schema, name, since, partitions]): RecordedTable => ({
      oid,
      member,
      kind: isAll === 1 ? 'all' : 'inserts',
      schema,
      name,
      since: since ?? null,
      partitions: partitions?.map(partitionOf) ?? null,
    })),
  }
}

function partitionOf([oid, file, link, schema, name]: StoredPartition): KnownPartition {
  return { oid, file, link, schema, name }
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
