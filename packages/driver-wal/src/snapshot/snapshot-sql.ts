/*
 * What reading a table in pieces takes. The search path of the connection is `pg_catalog` but for the statements that
 * print rows: those name everything with its schema.
 */

/**
 * The index that a table ($1: object id) can be read by: unique, checked at once, without NULL, in the default order of
 * its columns' types and collations, so that it sorts as `ORDER BY` does. $2: the names of its columns in any order; NULL
 * for the primary key.
 */
export const KEY_INDEX = `
SELECT json_agg(json_build_object(
    'name', a.attname,
    'operatorSchema', o.nspname,
    'less', o.less,
    'notGreater', o.not_greater,
    'equal', o.equal,
    'greater', o.greater,
    'collationSchema', cn.nspname,
    'collation', c.collname
  ) ORDER BY part.ordinal) AS columns
FROM pg_index AS i
CROSS JOIN LATERAL unnest(i.indkey::int2[], i.indclass::oid[], i.indcollation::oid[], i.indoption::int2[])
  WITH ORDINALITY AS part (attnum, class, sorted_by, sorting, ordinal)
JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = part.attnum
JOIN pg_opclass AS opc ON opc.oid = part.class
LEFT JOIN pg_collation AS c ON c.oid = a.attcollation
LEFT JOIN pg_namespace AS cn ON cn.oid = c.collnamespace
CROSS JOIN LATERAL (
  SELECT
    min(n.nspname) AS nspname,
    min(op.oprname) FILTER (WHERE am.amopstrategy = 1) AS less,
    min(op.oprname) FILTER (WHERE am.amopstrategy = 2) AS not_greater,
    min(op.oprname) FILTER (WHERE am.amopstrategy = 3) AS equal,
    min(op.oprname) FILTER (WHERE am.amopstrategy = 5) AS greater
  FROM pg_amop AS am
  JOIN pg_operator AS op ON op.oid = am.amopopr
  JOIN pg_namespace AS n ON n.oid = op.oprnamespace
  WHERE am.amopfamily = opc.opcfamily
    AND am.amoplefttype = opc.opcintype
    AND am.amoprighttype = opc.opcintype
    AND am.amoppurpose = 's'
) AS o
WHERE i.indrelid = $1::oid
  AND part.ordinal <= i.indnkeyatts
  AND i.indisunique AND i.indimmediate AND i.indisvalid
  AND i.indpred IS NULL AND i.indexprs IS NULL
  AND ($2::text[] IS NOT NULL OR i.indisprimary)
GROUP BY i.indexrelid, i.indisprimary
HAVING bool_and(a.attnotnull AND opc.opcdefault AND part.sorting = 0 AND part.sorted_by = a.attcollation
    AND o.nspname IS NOT NULL)
  AND ($2::text[] IS NULL OR array_agg(a.attname::text ORDER BY a.attname::text) =
    (SELECT array_agg(wanted.name ORDER BY wanted.name) FROM unnest($2::text[]) AS wanted (name)))
ORDER BY i.indisprimary DESC, i.indexrelid
LIMIT 1`

/**
 * Whether the connected role may read a table ($1: object id), whether row-level security would leave rows out, and about how
 * many rows its storage ($2: object ids) has: NULL where somebody has never counted.
 */
export const READABLE = `
SELECT
  has_table_privilege($1::oid, 'SELECT') AS may_read,
  row_security_active($1::oid) AS is_filtered,
  (SELECT CASE WHEN bool_and(c.reltuples >= 0) THEN round(sum(c.reltuples::numeric)) END FROM pg_class AS c WHERE c.oid = ANY ($2::oid[])) AS rows`

/** Begins to read: the lock comes before the snapshot, so that what empties the table is in it or comes after it. */
export const BEGIN = `BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY`

/** Refuses to leave rows out. */
export const ALL_ROWS = `SET LOCAL row_security = off`

/** The snapshot of the transaction, and a place in the log that nothing in it is behind. */
export const SNAPSHOT = `SELECT pg_current_snapshot()::text AS state, pg_current_wal_insert_lsn() AS place`

/** Which of some transactions ($1: the lower 32 bits of their ids) have not ended, and their processes: a prepared one has none. */
export const UNENDED = `
SELECT l.transactionid::pg_catalog.text AS id, l.pid
FROM pg_catalog.pg_locks AS l
WHERE l.locktype = 'transactionid' AND l.granted AND l.mode = 'ExclusiveLock'
  AND l.transactionid::pg_catalog.text = ANY ($1::pg_catalog.text[])`

/** A snapshot of this moment. */
export const SNAPSHOT_NOW = `SELECT pg_catalog.pg_current_snapshot() AS state`

/** Values are printed as they are for the role's other sessions: names with their schema, or without. */
export const OWN_SEARCH_PATH = `
SELECT pg_catalog.set_config('search_path', s.reset_val, true) FROM pg_catalog.pg_settings AS s WHERE s.name OPERATOR(pg_catalog.=) 'search_path'`

/** Ends the reading. */
export const COMMIT = `COMMIT`

/** Gives a reading up. */
export const ROLLBACK = `ROLLBACK`

/** Some rows more of what `declarePiece` declares. */
export function fetchRows(count: number): string {
  return `FETCH FORWARD ${Math.trunc(count)} FROM rowtap_piece`
}
