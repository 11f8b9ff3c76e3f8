/*
 * What is below a partitioned table. Run with `search_path = pg_catalog`.
 */

/** A part of a recursive WITH: what `roots (oid)`, a part before it, and everything below them are. */
export const FAMILY = `family (root, oid) AS (
  SELECT roots.oid, roots.oid FROM roots
  UNION ALL
  SELECT family.root, child.inhrelid
  FROM family
  JOIN pg_class AS parent ON parent.oid = family.oid AND parent.relkind = 'p'
  JOIN pg_inherits AS child ON child.inhparent = parent.oid
)`

/**
 * A part of a recursive WITH, after {@link FAMILY}: the partitions below each table of `listed (oid)`, a part before it, as a
 * JSON array of `FoundPartition`; none where there are none. All of them at once: what is below one table is not looked for
 * among what is below all others.
 */
export const PARTITIONS = `partitions (oid, found) AS MATERIALIZED (
  -- A partition that was made as one is as old as what every table has, and has brought no rows with it. So is a table that
  -- the same transaction made and attached, which may have: but attaching writes the columns anew, so that none is older. Where
  -- it altered every column after that nothing tells them apart, and rows may have come. (The number of a command is not to be
  -- told from what has been, or was to be, written again.)
  SELECT family.root, json_agg(json_build_object(
    'oid', c.oid::int8,
    'schema', n.nspname,
    'name', c.relname,
    'link', child.xmin::text,
    'isMade', child.xmin = made.xmin AND coalesce((
      SELECT bool_or(a.xmax = '0' AND child.xmax = '0' AND a.cmin::text::int8 < child.cmin::text::int8)
      FROM pg_attribute AS a
      WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.xmin = child.xmin
    ), true),
    'file', c.relfilenode::int8,
    'writtenBy', c.xmin::text
  ) ORDER BY c.oid)
  FROM family
  JOIN pg_class AS c ON c.oid = family.oid
  JOIN pg_namespace AS n ON n.oid = c.relnamespace
  JOIN pg_inherits AS child ON child.inhrelid = c.oid
  JOIN pg_attribute AS made ON made.attrelid = c.oid AND made.attname = 'ctid' AND made.attnum < 0
  -- As a join this would be planned for few tables, and compare each with everything below all of them.
  WHERE family.oid <> family.root AND (family.root IN (SELECT listed.oid FROM listed)) IS TRUE
  GROUP BY family.root
)`
