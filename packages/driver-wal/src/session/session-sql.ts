/*
 * Who reads a slot, and who has a subscription. The search path of the control connection is `pg_catalog`.
 */

/** The number that stands for a subscription ($1: its name) in this database: the key of its advisory lock. */
const KEY = `hashtextextended('rowtap subscription ' || $1, 0)`

const HOLDERS = `
FROM pg_locks AS l
WHERE l.locktype = 'advisory'
  AND l.objsubid = 1
  AND l.granted
  AND l.database = (SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database())
  AND (l.classid::int8 << 32) | l.objid::int8 = ${KEY}
  AND l.pid <> pg_backend_pid()`

/** Takes a subscription's lock ($1) for as long as the session lives, if nobody has it. */
export const TRY_LOCK_SUBSCRIPTION: string = `SELECT pg_try_advisory_lock(${KEY}) AS got`

/** The processes that have a subscription's lock ($1). */
export const SUBSCRIPTION_HOLDERS: string = `SELECT l.pid ${HOLDERS}`

/** Ends a process ($2) if it has the subscription's lock ($1). */
export const END_HOLDER: string = `SELECT pg_terminate_backend(l.pid, 1000) ${HOLDERS} AND l.pid = $2::int4`

/**
 * Ends the processes of an ephemeral client's connections that were lost, if they have not noticed: the one (of $1) that
 * holds the client's advisory lock, whose key the slot's name ($2) ends with, and the one that reads the slot.
 */
export const END_FORMER_CLIENT = `
SELECT pg_terminate_backend(former.pid, 1000)
FROM (
  SELECT l.pid
  FROM pg_locks AS l
  WHERE l.locktype = 'advisory'
    AND l.objsubid = 1
    AND l.granted
    AND l.pid = ANY ($1::int4[])
    AND l.pid <> pg_backend_pid()
    AND l.database = (SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database())
    AND (l.classid::int8 << 32) | l.objid::int8 = ('x' || right($2, 16))::bit(64)::int8
  UNION
  SELECT s.active_pid FROM pg_replication_slots AS s WHERE s.slot_name = $2 AND s.active_pid IS NOT NULL
) AS former`

/** What is known of a slot ($1). Columns that only later versions have are read by way of JSON. */
export const SLOT = `
SELECT
  s.slot_type AS type,
  s.plugin,
  s.database = current_database() AS here,
  s.active_pid AS pid,
  s.confirmed_flush_lsn AS flushed,
  s.wal_status AS status,
  to_jsonb(s) ->> 'invalidation_reason' AS reason,
  to_jsonb(s) ->> 'failover' AS failover
FROM pg_replication_slots AS s
WHERE s.slot_name = $1`

/** Ends a process ($1) as long as it reads a slot ($2). */
export const END_SLOT_READER = `
SELECT pg_terminate_backend(s.active_pid) FROM pg_replication_slots AS s WHERE s.slot_name = $2 AND s.active_pid = $1::int4`

/** Removes a slot ($1), if it is there. */
export const DROP_SLOT = `
SELECT pg_drop_replication_slot(s.slot_name) FROM pg_replication_slots AS s WHERE s.slot_name = $1`

/** The object id of the database. */
export const DATABASE_OID = `SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database()`

/** What a walsender ($1) is doing; no row where it has ended. */
export const SENDER_STATE = `
SELECT a.wait_event_type AS type, a.wait_event AS event FROM pg_stat_activity AS a WHERE a.pid = $1::int4`
