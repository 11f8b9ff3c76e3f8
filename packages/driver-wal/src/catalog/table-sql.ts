/*
 * Reads everything that capturing a table depends on, in one statement and without a lock on the table, so that
 * it never waits for an ALTER TABLE. Run with `search_path = pg_catalog`.
 */

/** A query for the type under a domain, or the type itself, with its modifier and its storage, of two columns. */
function baseType(oid: 'a.atttypid' | 'wanted.oid', modifier: 'a.atttypmod' | 'wanted.modifier'): string {
  return `
      WITH RECURSIVE base AS (
        SELECT t.oid, ${modifier} AS modifier, t.typstorage, t.typtype, t.typbasetype, t.typtypmod
        FROM pg_type AS t WHERE t.oid = ${oid}
        UNION ALL
        SELECT t.oid, base.typtypmod, t.typstorage, t.typtype, t.typbasetype, t.typtypmod
        FROM base JOIN pg_type AS t ON t.oid = base.typbasetype
        WHERE base.typtype = 'd'
      )
      SELECT base.oid, base.modifier, base.typstorage AS storage FROM base WHERE base.typtype <> 'd'`
}

/** Two columns with what is the same for all types (`StorageLimits`): where int8 is passed by value, the machine has 64 bits. */
const STORAGE_LIMITS = `
  (SELECT CASE WHEN typbyval THEN 24 ELSE 20 END FROM pg_type WHERE oid = 'int8'::regtype) AS inline_bytes,
  (SELECT pg_encoding_max_length(encoding) FROM pg_database WHERE datname = current_database()) AS character_bytes`

const TABLE = `
WITH RECURSIVE target AS (
  SELECT c.oid, c.relname, c.relkind, c.relowner, c.relnamespace, n.nspname
  FROM pg_class AS c
  JOIN pg_namespace AS n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S', 't')
    AND (CONDITION)
),
family (oid) AS (
  SELECT oid FROM target
  UNION ALL
  SELECT child.inhrelid
  FROM family
  JOIN pg_class AS parent ON parent.oid = family.oid AND parent.relkind = 'p'
  JOIN pg_inherits AS child ON child.inhparent = parent.oid
),
-- What writes a row: the table itself, or every partition that has none below it.
storage AS (
  SELECT
    c.oid, c.relname, c.relkind, c.relpersistence, c.relreplident, c.relfilenode, n.nspname,
    (
      -- A deferrable or invalid index does not identify a row, whatever relreplident says.
      SELECT json_agg(a.attname ORDER BY part.ordinal)
      FROM pg_index AS i
      CROSS JOIN LATERAL unnest(i.indkey) WITH ORDINALITY AS part (attnum, ordinal)
      JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = part.attnum
      WHERE i.indrelid = c.oid
        AND CASE c.relreplident WHEN 'd' THEN i.indisprimary WHEN 'i' THEN i.indisreplident ELSE false END
        AND i.indisvalid
        AND i.indimmediate
        AND part.ordinal <= i.indnkeyatts
    ) AS identity,
    EXISTS (
      SELECT FROM pg_attribute AS a
      WHERE a.attrelid = c.oid AND a.attgenerated = 'v' AND NOT a.attisdropped
    ) AS has_virtual
  FROM family
  JOIN pg_class AS c ON c.oid = family.oid
  JOIN pg_namespace AS n ON n.oid = c.relnamespace
  WHERE c.relkind <> 'p'
)
SELECT
  target.oid,
  target.nspname AS schema,
  target.relname AS name,
  target.relkind AS kind,
  pg_get_userbyid(target.relowner) AS owner,
  (SELECT rolsuper FROM pg_roles WHERE oid = target.relowner) AS owner_is_superuser,
  pg_has_role(target.relowner, 'USAGE') AS owned,
  has_schema_privilege(target.relnamespace, 'USAGE') AS schema_open,
  target.oid < 16384 AS system,
  (
    SELECT coalesce(json_agg(json_build_object(
      'name', a.attname,
      'number', a.attnum,
      'typeOid', a.atttypid::int8,
      'typeModifier', a.atttypmod,
      'typeName', format_type(a.atttypid, a.atttypmod),
      'baseTypeOid', base.oid::int8,
      'baseTypeModifier', base.modifier,
      'storage', base.storage,
      -- Stored generated columns are published from version 18 on, virtual ones never.
      'isSent', a.attgenerated = '' OR (a.attgenerated = 's' AND current_setting('server_version_num')::int >= 180000),
      'isVirtual', a.attgenerated = 'v'
    ) ORDER BY a.attnum), '[]')
    FROM pg_attribute AS a
    CROSS JOIN LATERAL (${baseType('a.atttypid', 'a.atttypmod')}) AS base
    WHERE a.attrelid = target.oid AND a.attnum > 0 AND NOT a.attisdropped
  ) AS columns,
  (
    SELECT coalesce(json_agg(a.attnum), '[]')
    FROM pg_attribute AS a
    WHERE a.attrelid = target.oid AND a.attnum > 0 AND a.attisdropped
  ) AS dropped_columns,
  ${STORAGE_LIMITS},
  (
    -- A deferrable key is not one: within a transaction two rows may have the same.
    SELECT coalesce(json_agg(a.attname ORDER BY part.ordinal), '[]')
    FROM pg_index AS i
    CROSS JOIN LATERAL unnest(i.indkey) WITH ORDINALITY AS part (attnum, ordinal)
    JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = part.attnum
    WHERE i.indrelid = target.oid AND i.indisprimary AND i.indimmediate AND part.ordinal <= i.indnkeyatts
  ) AS primary_key,
  (
    SELECT coalesce(json_agg(json_build_object(
      'oid', storage.oid::int8,
      'schema', storage.nspname,
      'name', storage.relname,
      'kind', storage.relkind,
      'persistence', storage.relpersistence,
      'file', storage.relfilenode::int8,
      'replicaIdentity', storage.relreplident,
      'identity', storage.identity,
      'hasVirtualColumns', storage.has_virtual
    )), '[]')
    FROM storage
  ) AS storage,
  (SELECT json_agg(family.oid::int8) FROM family) AS family
FROM target`

/** By schema and name ($1, $2). */
export const TABLE_OID = `
SELECT c.oid::text AS oid
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = $1 AND c.relname = $2`

/** By object id ($1). */
export const TABLE_BY_OID: string = TABLE.replace('CONDITION', 'c.oid = $1::oid')

/** The names of every table that could be meant by a wrong one. */
export const TABLE_NAMES: string = `
SELECT n.nspname AS schema, c.relname AS name
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND c.oid >= 16384 AND n.nspname !~ '^pg_'
ORDER BY n.nspname = $1 DESC, c.relname
LIMIT 10000`

/**
 * Names, base types, their modifiers and their storage of types ($1: object ids, $2: modifiers, $3: what a domain that is
 * gone was over, as a name of PostgreSQL's own), in that order. A type that is gone has no name, and its base is NULL.
 */
export const TYPES: string = `
SELECT
  CASE WHEN EXISTS (SELECT FROM pg_type AS t WHERE t.oid = wanted.oid)
    THEN format_type(wanted.oid, wanted.modifier)
  END AS name,
  base.oid AS base,
  base.modifier,
  base.storage,
  (
    SELECT t.oid FROM pg_type AS t
    WHERE t.typnamespace = 'pg_catalog'::regnamespace AND t.typname = wanted.under
  ) AS under,
  ${STORAGE_LIMITS}
FROM unnest($1::oid[], $2::int4[], $3::text[]) WITH ORDINALITY AS wanted (oid, modifier, under, ordinal)
LEFT JOIN LATERAL (${baseType('wanted.oid', 'wanted.modifier')}) AS base ON true
ORDER BY wanted.ordinal`

/**
 * Whether a transaction ($2: its xid) holds the lock on a table ($1) that altering it takes. It lets go of that only once
 * everybody can see what it did.
 */
export const IS_ALTERING: string = `
SELECT EXISTS (
  SELECT FROM pg_locks AS mine
  JOIN pg_locks AS held USING (virtualtransaction)
  WHERE mine.locktype = 'transactionid' AND mine.transactionid = $2::xid AND mine.granted
    AND held.locktype = 'relation' AND held.relation = $1 AND held.mode = 'AccessExclusiveLock' AND held.granted
    AND held.database = (SELECT oid FROM pg_database WHERE datname = current_database())
) AS altering`
