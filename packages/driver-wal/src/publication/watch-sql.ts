import { FAMILY, PARTITIONS } from './partition-sql.ts'
import { isAsMade, MEMBERSHIP } from './publication-sql.ts'

/**
 * What captured tables ($1: object ids, $2 and $3: the names that they were attached with) look like in two
 * publications ($4, $5), and how many of those are there. `version` is another text whenever something that capturing depends on may have changed, and
 * `partitions` are told where it is another one than before ($6): of a table that has many, looking costs little then.
 */
export const WATCH: string = `
WITH RECURSIVE attached AS (
  SELECT * FROM unnest($1::oid[], $2::text[], $3::text[], $6::text[]) AS attached (oid, schema, name, version)
),
roots AS (SELECT attached.oid FROM attached),
${FAMILY},
versions AS MATERIALIZED (
  SELECT
    family.root AS oid,
    md5(string_agg(concat_ws(' ', c.oid, c.xmin, i.indexrelid, i.xmin), ',' ORDER BY c.oid, i.indexrelid)) AS version
  FROM family
  JOIN pg_class AS c ON c.oid = family.oid
  LEFT JOIN pg_index AS i ON i.indrelid = c.oid
  GROUP BY family.root
),
listed AS (
  SELECT attached.oid FROM attached JOIN versions USING (oid) WHERE versions.version IS DISTINCT FROM attached.version
),
${PARTITIONS}
SELECT
  attached.oid,
  (SELECT count(*) FROM pg_publication AS p WHERE p.pubname IN ($4, $5)) AS publications,
  -- Whatever is seen here was committed before this place.
  pg_current_wal_insert_lsn() AS place,
  (
    SELECT c.oid
    FROM pg_class AS c
    JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE n.nspname = attached.schema AND c.relname = attached.name
  ) AS named,
  -- A table's row type is written anew when the table gets another name, schema or owner, and not when it is altered otherwise.
  (
    SELECT json_build_object('written', t.xmin::text, 'owner', t.typowner::int8)
    FROM pg_class AS c
    JOIN pg_type AS t ON t.oid = c.reltype
    WHERE c.oid = attached.oid
  ) AS naming,
  member.publication,
  member.member,
  member.membership,
  member.as_made,
  versions.version,
  CASE WHEN versions.version IS DISTINCT FROM attached.version THEN (
    SELECT coalesce(max(partitions.found::text), '[]') FROM partitions WHERE partitions.oid = attached.oid
  ) END AS partitions
FROM attached
LEFT JOIN versions USING (oid)
-- Before PostgreSQL 15 the catalogue has no such columns: then these names stand for those here.
CROSS JOIN (SELECT NULL::pg_node_tree AS prqual, NULL::int2[] AS prattrs) AS whole
LEFT JOIN LATERAL (
  SELECT
    p.pubname AS publication,
    pg_publication_rel.oid AS member,
    ${MEMBERSHIP} AS membership,
    ${isAsMade('$4')} AND (p.pubname <> $4 OR (prqual IS NULL AND prattrs IS NULL)) AS as_made
  FROM pg_publication AS p
  JOIN pg_publication_rel ON prpubid = p.oid
  WHERE prrelid = attached.oid AND p.pubname IN ($4, $5)
  ORDER BY p.pubname = $4 DESC
  LIMIT 1
) AS member ON true`
