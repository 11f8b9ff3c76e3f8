import { inlineParameters } from '@rowtap/core/driver'

/*
 * What is kept of snapshots is in a large object: https://www.postgresql.org/docs/current/largeobjects.html
 * Its number is the server's choice, so it is known by its comment, which says nothing of any row. Anybody may make a large
 * object with that comment: it counts only where its owner is the role that is connected, or the publication's.
 */

/** Opens a large object for writing. */
const INV_WRITE = 0x20000

/** What the comments of these large objects begin with. */
export const PROGRESS_NOTE = 'rowtap: how far the snapshots are of '

/** The comment of the large object that goes with a publication. */
export function progressNote(publication: string): string {
  return `${PROGRESS_NOTE}${publication}`
}

/** The large object with a comment ($1) that goes with a publication ($2), which may be gone, if this role may read and write it. */
const PROGRESS = `
  SELECT object.oid
  FROM pg_catalog.pg_description AS comment
  JOIN pg_catalog.pg_largeobject_metadata AS object ON object.oid = comment.objoid
  JOIN pg_catalog.pg_roles AS own ON own.rolname = current_user
  LEFT JOIN pg_catalog.pg_publication AS publication ON publication.pubname = $2
  WHERE comment.classoid = 'pg_catalog.pg_largeobject'::pg_catalog.regclass
    AND comment.description = $1
    AND object.lomowner IN (own.oid, publication.pubowner)
    AND pg_catalog.pg_has_role(object.lomowner, 'USAGE')
  ORDER BY object.oid
  LIMIT 1`

/** Replaces the content by another ($3). No row where there is no such large object. */
export const WRITE_PROGRESS: string = `
SELECT
  pg_catalog.lo_put(progress.oid, 0, $3::pg_catalog.bytea),
  pg_catalog.lo_truncate64(pg_catalog.lo_open(progress.oid, ${INV_WRITE}), pg_catalog.octet_length($3::pg_catalog.bytea))
FROM (${PROGRESS}) AS progress`

/** The content. */
export const READ_PROGRESS: string = `
SELECT pg_catalog.encode(pg_catalog.lo_get(progress.oid), 'base64') AS content
FROM (${PROGRESS}) AS progress`

/** Removes it. */
export const UNLINK_PROGRESS: string = `
SELECT pg_catalog.lo_unlink(progress.oid)
FROM (${PROGRESS}) AS progress`

/** Makes a large object with a comment, both or none. */
export function makeProgress(note: string): string {
  const body = `DECLARE made pg_catalog.oid := pg_catalog.lo_create(0); BEGIN EXECUTE pg_catalog.format('COMMENT ON LARGE OBJECT %s IS %L', made, $1); END`
  return inlineParameters('DO $1', [inlineParameters(body, [note])])
}
