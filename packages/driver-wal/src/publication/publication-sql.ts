import type { TableName } from '@rowtap/core/driver'
import { quoteIdentifier, quoteTableName } from '@rowtap/core/driver'
import { EPHEMERAL_PUBLICATION } from './ephemeral-name.ts'
import type { PublicationKind } from './capture-name.ts'
import type { PublishedPart } from './published-part.ts'

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

/** Says once more what the publication is to say, which makes every stream look at its tables again. */
export function touchPublication(name: string, kind: PublicationKind): string {
  return `ALTER PUBLICATION ${quoteIdentifier(name)} SET (publish = '${PUBLISHED[kind]}', publish_via_partition_root = true)`
}

/** A table, and which part of it is published. Anything but the whole needs PostgreSQL 15. */
export interface TableInPart {
  readonly table: TableName
  readonly part: PublishedPart
}

/** Publishes tables from the statement's commit on. Tables that inherit from them are tables of their own. */
export function addTables(name: string, tables: readonly TableInPart[]): string {
  const added = tables.map(({ table, part: { rows, columns } }) => {
    const list = columns === null ? '' : ` (${columns.map(quoteIdentifier).join(', ')})`
    return `ONLY ${quoteTableName(table)}${list}${rows === null ? '' : ` WHERE (${rows.text})`}`
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

/** Whether a row `p` of pg_publication says what a client's publication was made with. `all`: the parameter with the name of the one of all operations. */
export function isAsMade(all: '$1' | '$4'): string {
  const changes = `(p.pubname = ${all})`
  return `(p.pubinsert AND p.pubupdate = ${changes} AND p.pubdelete = ${changes} AND p.pubtruncate AND p.pubviaroot)`
}

/**
 * A text that is another one whenever somebody has altered the place of a table, `pg_publication_rel`, in a publication `p`: it
 * was taken out and put back, or the publication was altered itself.
 */
export const MEMBERSHIP = `concat_ws(' ', pg_publication_rel.oid, p.oid, p.xmin)`

/**
 * The tables that two publications ($1, $2) hold, those of the first before those of the second, and which part of them. Before PostgreSQL 15 they are held whole, and
 * the catalogue has no such columns: then their names stand for those of the row around the query that reads them.
 */
export const PUBLISHED_TABLES: string = `
SELECT
  member.publication,
  member.membership,
  member.as_made,
  c.oid,
  n.nspname AS schema,
  c.relname AS name,
  member.filter,
  member.columns
FROM (SELECT NULL::pg_node_tree AS prqual, NULL::int2[] AS prattrs) AS whole
CROSS JOIN LATERAL (
  SELECT
    p.pubname AS publication,
    ${MEMBERSHIP} AS membership,
    ${isAsMade('$1')} AS as_made,
    prrelid AS oid,
    pg_get_expr(prqual, prrelid) AS filter,
    (
      SELECT json_agg(a.attname ORDER BY a.attnum)
      FROM pg_attribute AS a
      WHERE a.attrelid = prrelid AND a.attnum = ANY (prattrs::int2[])
    ) AS columns
  FROM pg_publication AS p
  JOIN pg_publication_rel ON prpubid = p.oid
  WHERE p.pubname IN ($1, $2)
) AS member
JOIN pg_class AS c ON c.oid = member.oid
JOIN pg_namespace AS n ON n.oid = c.relnamespace
ORDER BY member.publication = $1 DESC`

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
