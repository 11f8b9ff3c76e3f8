import type { TableName } from '@rowtap/core/driver'
import { quoteIdentifier, quoteTableName } from '@rowtap/core/driver'
import { EPHEMERAL_PUBLICATION } from './ephemeral-name.ts'
import type { PublicationKind } from './capture-name.ts'
import type { RowFilter } from './row-filter.ts'
import { filterText } from './row-filter.ts'

const PUBLISHED: Readonly<Record<PublicationKind, string>> = {
  all: 'insert, update, delete, truncate',
  inserts: 'insert, truncate',
}

/** Makes an empty publication. */
export function createPublication(name: string, kind: PublicationKind, serverVersion: number): string {
  // Without it, an update of a table that has full identity and such a column fails from version 18 on.
  const generated = serverVersion >= 180_000 ? ', publish_generated_columns = stored' : ''
  return `CREATE PUBLICATION ${quoteIdentifier(name)} WITH (publish = '${PUBLISHED[kind]}', publish_via_partition_root = true${generated})`
}

/** Says once more what the publication says already, which makes every stream look at its tables again. */
export function touchPublication(name: string, kind: PublicationKind): string {
  return `ALTER PUBLICATION ${quoteIdentifier(name)} SET (publish = '${PUBLISHED[kind]}')`
}

/** A table, and which of its rows are published. A filter needs PostgreSQL 15. */
export interface PublishedTable {
  readonly table: TableName
  readonly filter: RowFilter
}

/** Publishes tables from the statement's commit on. Tables that inherit from them are tables of their own. */
export function addTables(name: string, tables: readonly PublishedTable[]): string {
  const added = tables.map(({ table, filter }) => {
    const text = filterText(filter)
    return `ONLY ${quoteTableName(table)}${text === null ? '' : ` WHERE (${text})`}`
  })
  return `ALTER PUBLICATION ${quoteIdentifier(name)} ADD TABLE ${added.join(', ')}`
}

/** Publishes tables no more. */
export function dropTables(name: string, tables: readonly TableName[]): string {
  return `ALTER PUBLICATION ${quoteIdentifier(name)} DROP TABLE ${onlyTables(tables)}`
}

/** Removes publications, as far as they are there. */
export function removePublications(names: readonly string[]): string {
  return `DROP PUBLICATION IF EXISTS ${names.map(quoteIdentifier).join(', ')}`
}

/** Which of two publications ($1, $2) are there. */
export const EXISTING_PUBLICATIONS: string = `SELECT p.pubname AS name FROM pg_publication AS p WHERE p.pubname IN ($1, $2)`

/** The tables that two publications ($1, $2) hold. */
export const PUBLISHED_TABLES: string = `
SELECT p.pubname AS publication, c.oid, n.nspname AS schema, c.relname AS name
FROM pg_publication AS p
JOIN pg_publication_rel AS member ON member.prpubid = p.oid
JOIN pg_class AS c ON c.oid = member.prrelid
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE p.pubname IN ($1, $2)`

/**
 * Publications of ephemeral clients that are gone: whose advisory lock could be had. The lock is kept, so that
 * nobody else removes them at the same time, until {@link UNLOCK}.
 */
export const LOCK_ABANDONED: string = `
SELECT abandoned.digits
FROM (
  SELECT DISTINCT (regexp_match(pubname, '${EPHEMERAL_PUBLICATION}'))[1] AS digits
  FROM pg_publication
  WHERE pubname ~ '${EPHEMERAL_PUBLICATION}' AND pg_has_role(pubowner, 'USAGE')
  ORDER BY digits
  OFFSET 0
) AS abandoned
WHERE pg_try_advisory_lock(('x' || abandoned.digits)::bit(64)::int8)`

/** What {@link LOCK_ABANDONED} would find, found without taking a lock. */
export const FIND_ABANDONED: string = `
SELECT ephemeral.digits
FROM (
  SELECT DISTINCT (regexp_match(pubname, '${EPHEMERAL_PUBLICATION}'))[1] AS digits
  FROM pg_publication
  WHERE pubname ~ '${EPHEMERAL_PUBLICATION}' AND pg_has_role(pubowner, 'USAGE')
) AS ephemeral
WHERE NOT EXISTS (
  SELECT
  FROM pg_locks AS lock
  WHERE lock.locktype = 'advisory'
    AND lock.database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND lock.objsubid = 1
    AND lock.classid::int8 << 32 | lock.objid::int8 = ('x' || ephemeral.digits)::bit(64)::int8
)
ORDER BY ephemeral.digits`

/** Takes the advisory lock of a name ($1: its digits) for as long as the session lives. */
export const LOCK: string = `SELECT pg_advisory_lock(('x' || $1)::bit(64)::int8)`

/** Gives it back. */
export const UNLOCK: string = `SELECT pg_advisory_unlock(('x' || $1)::bit(64)::int8)`

function onlyTables(tables: readonly TableName[]): string {
  return tables.map((table) => `ONLY ${quoteTableName(table)}`).join(', ')
}
