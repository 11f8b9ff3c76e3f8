import { PROGRESS_NOTE } from '../snapshot/progress-sql.ts'

/*
 * What removing takes. Whoever uses a thing is looked up in the statement that ends it: a number that was read before may
 * be another process by now.
 */

/** How long a process may take to end, in milliseconds. */
const END_MS = 10_000

/** Ends the process that reads a slot ($1), and waits until it has ended. */
export const END_SLOT_READER: string = `
SELECT pg_catalog.pg_terminate_backend(s.active_pid, ${END_MS}) AS ended
FROM pg_catalog.pg_replication_slots AS s
WHERE s.slot_name = $1 AND s.active_pid IS NOT NULL`

/** Drops a slot ($1), if it is there. */
export const DROP_SLOT = `
SELECT pg_catalog.pg_drop_replication_slot(s.slot_name)
FROM pg_catalog.pg_replication_slots AS s
WHERE s.slot_name = $1 AND s.database = pg_catalog.current_database()`

/** Removes a large object ($1) that holds how far snapshots were, if it is there. */
export const UNLINK_LEFT_PROGRESS: string = `
SELECT pg_catalog.lo_unlink(object.oid)
FROM pg_catalog.pg_largeobject_metadata AS object
WHERE object.oid = $1::pg_catalog.oid
  AND pg_catalog.starts_with(pg_catalog.obj_description(object.oid, 'pg_largeobject'), '${PROGRESS_NOTE}')`

/** Ends the process that holds the advisory lock of a client without a subscription ($1: its digits), likewise. */
export const END_CLIENT: string = `
SELECT pg_catalog.pg_terminate_backend(l.pid, ${END_MS}) AS ended
FROM pg_catalog.pg_locks AS l
WHERE l.locktype = 'advisory'
  AND l.objsubid = 1
  AND l.granted
  AND l.pid <> pg_catalog.pg_backend_pid()
  AND l.database = (SELECT d.oid FROM pg_catalog.pg_database AS d WHERE d.datname = pg_catalog.current_database())
  AND pg_catalog.lpad(pg_catalog.to_hex(l.classid::pg_catalog.int8), 8, '0')
    || pg_catalog.lpad(pg_catalog.to_hex(l.objid::pg_catalog.int8), 8, '0') = $1`

/** Takes the advisory lock of a client without a subscription ($1: its digits) if nobody has it. */
export const TRY_LOCK_CLIENT = `SELECT pg_catalog.pg_try_advisory_lock(('x' || $1)::bit(64)::int8) AS got`

/** Gives back every advisory lock of this session. */
export const UNLOCK_ALL = `SELECT pg_catalog.pg_advisory_unlock_all()`
