/**
 * What captured tables ($1: object ids, $2 and $3: the names that they were attached with) look like in two
 * publications ($4, $5). `version` is another text whenever something that capturing depends on may have changed, and
 * `partitions` are told where it is another one than before ($6): of a table that has many, looking costs little then.
 */
export const WATCH: string = `
WITH RECURSIVE attached AS (
  SELECT * FROM unnest($1::oid[], $2::text[], $3::text[], $6::text[]) AS attached (oid, schema, name, version)
),
family (root, oid) AS (
  SELECT oid, oid FROM attached
  UNION ALL
  SELECT family.root, child.inhrelid
  FROM family
  JOIN pg_class AS parent ON parent.oid = family.oid AND parent.relkind = 'p'
  JOIN pg_inherits AS child ON child.inhparent = parent.oid
),
versions AS MATERIALIZED (
  SELECT
    family.root AS oid,
    md5(string_agg(concat_ws(' ', c.oid, c.xmin, i.indexrelid, i.xmin), ',' ORDER BY c.oid, i.indexrelid)) AS version
  FROM family
  JOIN pg_class AS c ON c.oid = family.oid
  LEFT JOIN pg_index AS i ON i.indrelid = c.oid
  GROUP BY family.root
)
SELECT
  attached.oid,
  -- Whatever is seen here was committed before this place.
  pg_current_wal_insert_lsn() AS place,
  (
    SELECT c.oid
    FROM pg_class AS c
    JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE n.nspname = attached.schema AND c.relname = attached.name
  ) AS named,
  (
    SELECT p.pubname
    FROM pg_publication AS p
    JOIN pg_publication_rel AS member ON member.prpubid = p.oid
    WHERE member.prrelid = attached.oid AND p.pubname IN ($4, $5)
    LIMIT 1
  ) AS publication,
  versions.version,
  CASE WHEN versions.version IS DISTINCT FROM attached.version THEN (
    -- A partition that was made as one is as old as its row type, and has brought no rows with it. So is a table that the
    -- same transaction made and attached, which may have: but attaching writes the columns anew, by the same command.
    SELECT coalesce(json_agg(json_build_object(
      'oid', c.oid::int8,
      'schema', n.nspname,
      'name', c.relname,
      'isMade', child.xmin = t.xmin AND NOT EXISTS (
        SELECT FROM pg_attribute AS a
        WHERE a.attrelid = c.oid AND a.attnum > 0 AND a.xmin = child.xmin AND a.cmin = child.cmin
      ),
      'file', c.relfilenode::int8,
      'writtenBy', c.xmin::text
    )), '[]')
    FROM family
    JOIN pg_class AS c ON c.oid = family.oid
    JOIN pg_namespace AS n ON n.oid = c.relnamespace
    JOIN pg_inherits AS child ON child.inhrelid = c.oid
    JOIN pg_type AS t ON t.oid = c.reltype
    WHERE family.root = attached.oid AND family.oid <> attached.oid
  ) END AS partitions
FROM attached
LEFT JOIN versions USING (oid)`
