import type { ControlConnection } from '../connection/control-connection.ts'

/**
 * Whether a table ($1) is in one of some publications ($2) with a list of columns. Before PostgreSQL 15 the catalogue has no
 * lists: then the column's name stands for that of the row around the query that reads it. `search_path` is pinned.
 */
const HAS_LIST = `
SELECT EXISTS (
  SELECT
  FROM (SELECT NULL::pg_catalog.int2[] AS prattrs) AS whole
  CROSS JOIN LATERAL (
    SELECT prattrs IS NOT NULL AS is_listed
    FROM pg_catalog.pg_publication AS p
    JOIN pg_catalog.pg_publication_rel ON prpubid = p.oid
    WHERE prrelid = $1 AND p.pubname = ANY ($2::pg_catalog.text[])
  ) AS member
  WHERE member.is_listed
) AS listed`

/** Whether publications hold a table with some of its columns only. The error of a failure is `pg`'s. */
export async function hasColumnList(
  control: ControlConnection,
  oid: number,
  publications: readonly string[],
): Promise<boolean> {
  const [row] = await control.query<'listed'>(HAS_LIST, [oid, publications])
  return row?.listed === 't'
}
