/** One slot ($1), and where the log ends; one row in any case. Places in the log are numbers. */
export const SLOT_HEALTH = `
WITH log AS MATERIALIZED (
  SELECT
    CASE WHEN pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_last_wal_replay_lsn() ELSE pg_catalog.pg_current_wal_lsn() END AS ends,
    pg_catalog.clock_timestamp() AS at
)
SELECT
  (extract(epoch FROM log.at) * 1000)::pg_catalog.int8 AS at_ms,
  pg_catalog.pg_wal_lsn_diff(log.ends, '0/0') AS ends,
  pg_catalog.pg_wal_lsn_diff(s.confirmed_flush_lsn, '0/0') AS confirmed,
  CASE WHEN s.confirmed_flush_lsn IS NOT NULL THEN greatest(pg_catalog.pg_wal_lsn_diff(log.ends, s.confirmed_flush_lsn), 0) END AS lag,
  CASE WHEN s.restart_lsn IS NOT NULL THEN greatest(pg_catalog.pg_wal_lsn_diff(log.ends, s.restart_lsn), 0) END AS retained,
  s.safe_wal_size AS safe,
  s.wal_status AS status
FROM log
LEFT JOIN pg_catalog.pg_replication_slots AS s ON s.slot_name = $1`
