/*
 * Who holds what. `pg_locks` may be read by every role, which `pg_stat_activity` may not.
 * https://www.postgresql.org/docs/current/view-pg-locks.html
 */

const WRITING = `('RowExclusiveLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')`

/** Processes that hold a lock on one of the tables ($1) which adding it to a publication has to wait for. */
export const LOCK_HOLDERS: string = holders(`
  AND mode IN ('ShareUpdateExclusiveLock', 'ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')`)

/** Processes that hold any lock on one of the tables ($1): altering a table has to wait for all of them. */
export const ALL_LOCK_HOLDERS: string = holders('')

/**
 * Transactions that may have written to one of the tables ($1), and the ids that they were given. One that is
 * prepared has no process.
 */
export const WRITERS: string = `
WITH locks AS MATERIALIZED (SELECT * FROM pg_locks WHERE granted)
SELECT DISTINCT writer.pid, writer.virtualtransaction AS transaction
FROM locks AS writer
WHERE writer.locktype = 'relation'
  AND writer.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND writer.relation = ANY ($1::oid[])
  AND writer.mode IN ${WRITING}
  AND writer.pid IS DISTINCT FROM pg_backend_pid()`

/**
 * Those of them that may be in the middle of a commit, the process that commits, and what kind of event it waits for
 * (`null`: none, or this role may not see it). A process that waits for a lock, for its client or for time is not.
 * `unseen`: this role may not see what the process does, and commits may wait for a standby as long as it takes.
 * Which prepared transaction a process commits cannot be seen: that it commits one is enough to wait for it.
 */
export const COMMITTING_WRITERS: string = `
WITH locks AS MATERIALIZED (SELECT * FROM pg_locks WHERE granted),
activities AS MATERIALIZED (SELECT * FROM pg_stat_activity WHERE datname = current_database())
SELECT DISTINCT
  coalesce(writer.pid, activity.pid) AS pid,
  writer.virtualtransaction AS transaction,
  activity.wait_event_type AS wait,
  activity.state IS NULL AND current_setting('synchronous_standby_names') <> '' AS unseen
FROM locks AS writer
LEFT JOIN activities AS activity ON CASE
  WHEN writer.pid IS NOT NULL THEN activity.pid = writer.pid
  ELSE activity.pid <> pg_backend_pid()
    AND activity.backend_type = 'client backend'
    AND (activity.state IS NULL OR activity.query ~* 'commit.*prepared')
END
WHERE writer.locktype = 'relation'
  AND writer.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND writer.relation = ANY ($1::oid[])
  AND writer.mode IN ${WRITING}
  AND writer.pid IS DISTINCT FROM pg_backend_pid()
  AND coalesce(writer.pid, activity.pid) IS NOT NULL
  AND coalesce(activity.state, '') NOT IN ('idle', 'idle in transaction', 'idle in transaction (aborted)')
  AND coalesce(activity.wait_event_type, '') NOT IN ('Lock', 'Client', 'Timeout')`

/** The place in the log that the next record will have. */
export const INSERT_PLACE: string = `SELECT pg_current_wal_insert_lsn() AS place`

/** The processes that a process ($1) waits for; 0 is a prepared transaction. */
export const BLOCKING: string = `SELECT unnest(pg_blocking_pids($1::int4)) AS pid`

function holders(ofModes: string): string {
  return `
SELECT DISTINCT pid
FROM pg_locks
WHERE locktype = 'relation'
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND relation = ANY ($1::oid[])
  AND granted${ofModes}
  AND pid <> pg_backend_pid()`
}
