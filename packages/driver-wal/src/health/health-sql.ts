import { PROGRESS_NOTE } from '../snapshot/progress-sql.ts'
import { READER_NAME } from '../connection/synchronous-standbys.ts'
import { OWN_PUBLICATIONS, OWN_SLOTS } from './owned-name.ts'

/*
 * What is asked of the catalogue to tell how things are. Every statement only reads, takes no lock on a table, and may
 * be run by every role. Columns that a version lacks are NULL there.
 * https://www.postgresql.org/docs/current/view-pg-replication-slots.html
 */

/** Where the log ends: what a primary has written, or a standby has replayed. */
const LOG_END = `CASE WHEN pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_last_wal_replay_lsn() ELSE pg_catalog.pg_current_wal_lsn() END`

/** From every look on nothing can be changed, whatever is asked. */
export const READ_ONLY = `SELECT pg_catalog.set_config('default_transaction_read_only', 'on', false)`

/** The server, the database and the role. */
export const SERVER_HEALTH: string = `
SELECT
  pg_catalog.current_setting('server_version_num') AS version,
  pg_catalog.current_setting('server_version') AS version_name,
  pg_catalog.current_setting('wal_level') AS wal_level,
  pg_catalog.current_setting('synchronous_standby_names') AS standbys,
  ${READER_NAME} AS reader,
  pg_catalog.pg_is_in_recovery() AS standby,
  pg_catalog.current_database() AS database,
  (SELECT pg_catalog.count(*) FROM pg_catalog.pg_replication_slots) AS slots,
  (SELECT pg_catalog.count(*) FROM pg_catalog.pg_stat_replication) AS senders,
  (
    SELECT pg_catalog.json_object_agg(s.name, s.setting) FROM pg_catalog.pg_settings AS s
    WHERE s.name IN (
      'max_replication_slots', 'max_wal_senders', 'max_slot_wal_keep_size', 'idle_replication_slot_timeout', 'wal_sender_timeout'
    )
  ) AS settings,
  (SELECT s.unit FROM pg_catalog.pg_settings AS s WHERE s.name = 'idle_replication_slot_timeout') AS idle_unit,
  r.rolname AS role,
  r.rolsuper AS superuser,
  r.rolreplication AS replication,
  pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE') AS may_create,
  pg_catalog.has_function_privilege('pg_catalog.pg_ls_waldir()', 'EXECUTE') AS sees_directory,
  pg_catalog.pg_has_role('pg_read_all_stats', 'USAGE') AS sees_processes,
  (
    SELECT pg_catalog.json_agg(m.rolname ORDER BY m.rolname) FROM pg_catalog.pg_roles AS m
    WHERE m.rolname IN (
      'rds_superuser', 'rds_replication', 'cloudsqlsuperuser', 'alloydbsuperuser', 'azure_pg_admin', 'neon_superuser'
    )
      AND pg_catalog.pg_has_role(m.oid, 'MEMBER')
  ) AS managed_roles,
  (
    SELECT pg_catalog.min(m.rolname) FROM pg_catalog.pg_roles AS m
    WHERE m.rolname IN ('rds_superuser', 'cloudsqlsuperuser', 'azure_pg_admin', 'neon_superuser', 'supabase_admin')
  ) AS managing_role
FROM pg_catalog.pg_roles AS r
WHERE r.rolname = current_user`

/** How much the log's directory holds. Needs the role `pg_monitor`. */
export const LOG_DIRECTORY = `SELECT pg_catalog.sum(f.size)::pg_catalog.int8 AS bytes FROM pg_catalog.pg_ls_waldir() AS f`

/** The log's end and the time, and every slot of ours on a server of a version (`server_version_num`). */
export function slotsSql(version: number): string {
  const since = (first: number, column: string): string => (version >= first ? `s.${column}` : 'NULL')
  return `
WITH log AS MATERIALIZED (
  SELECT ${LOG_END} AS ends, pg_catalog.clock_timestamp() AS at
)
SELECT
  log.ends AS lsn,
  (extract(epoch FROM log.at) * 1000)::pg_catalog.int8 AS at_ms,
  s.slot_name AS name,
  s.database,
  s.database = pg_catalog.current_database() AS here,
  s.temporary,
  s.active,
  s.active_pid,
  s.restart_lsn,
  s.confirmed_flush_lsn,
  CASE WHEN s.confirmed_flush_lsn IS NOT NULL THEN greatest(pg_catalog.pg_wal_lsn_diff(log.ends, s.confirmed_flush_lsn), 0) END AS lag,
  CASE WHEN s.restart_lsn IS NOT NULL THEN greatest(pg_catalog.pg_wal_lsn_diff(log.ends, s.restart_lsn), 0) END AS retained,
  s.safe_wal_size AS safe,
  s.wal_status AS status,
  ${since(160_000, 'conflicting')} AS conflicting,
  ${since(170_000, 'invalidation_reason')} AS reason,
  ${since(170_000, 'failover')} AS failover,
  (extract(epoch FROM ${since(170_000, 'inactive_since')}::pg_catalog.timestamptz) * 1000)::pg_catalog.int8 AS inactive_ms
FROM log
LEFT JOIN pg_catalog.pg_replication_slots AS s ON s.slot_type = 'logical' AND s.plugin = 'pgoutput' AND s.slot_name ~ '${OWN_SLOTS}'
ORDER BY s.slot_name`
}

/** Every publication of ours in this database, with the object ids of its tables. */
export const PUBLICATIONS: string = `
SELECT
  p.pubname AS name,
  pg_catalog.pg_get_userbyid(p.pubowner) AS role,
  pg_catalog.pg_has_role(p.pubowner, 'USAGE') AS owned,
  p.pubupdate OR p.pubdelete AS updates,
  (
    SELECT pg_catalog.json_agg(member.prrelid::pg_catalog.int8 ORDER BY member.prrelid)
    FROM pg_catalog.pg_publication_rel AS member WHERE member.prpubid = p.oid
  ) AS tables,
  (
    SELECT pg_catalog.json_agg(object.oid::pg_catalog.int8 ORDER BY object.oid)
    FROM pg_catalog.pg_description AS comment
    JOIN pg_catalog.pg_largeobject_metadata AS object ON object.oid = comment.objoid AND object.lomowner = p.pubowner
    WHERE comment.classoid = 'pg_catalog.pg_largeobject'::pg_catalog.regclass
      AND comment.description = '${PROGRESS_NOTE}' || p.pubname
  ) AS progress
FROM pg_catalog.pg_publication AS p
WHERE p.pubname ~ '${OWN_PUBLICATIONS}'
ORDER BY p.pubname`

/** What is written down with every publication of ours in this database, and whether {@link LOG_IDENTITY} can be asked. */
export const NOTES: string = `
SELECT
  p.pubname AS name,
  pg_catalog.obj_description(p.oid, 'pg_publication') AS text,
  NOT pg_catalog.pg_is_in_recovery()
    AND pg_catalog.has_function_privilege('pg_catalog.pg_control_system()', 'EXECUTE')
    AND pg_catalog.has_function_privilege('pg_catalog.pg_walfile_name(pg_catalog.pg_lsn)', 'EXECUTE') AS sees_log
FROM pg_catalog.pg_publication AS p
WHERE p.pubname ~ '${OWN_PUBLICATIONS}'`

/** Whose log a primary writes, and on which timeline. */
export const LOG_IDENTITY = `
SELECT
  control.system_identifier AS system,
  ('x' || pg_catalog.substr(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_lsn()), 1, 8))::bit(32)::pg_catalog.int4 AS timeline
FROM pg_catalog.pg_control_system() AS control`

/**
 * The large objects that hold how far the snapshots of subscriptions were whose publication is gone: it was dropped by hand.
 * Anybody may make one with such a comment, so it is told whose it is.
 */
export const LEFT_PROGRESS: string = `
SELECT
  object.oid,
  pg_catalog.substr(comment.description, pg_catalog.length('${PROGRESS_NOTE}') + 1) AS publication,
  pg_catalog.pg_get_userbyid(object.lomowner) AS role,
  pg_catalog.pg_has_role(object.lomowner, 'USAGE') AS owned
FROM pg_catalog.pg_description AS comment
JOIN pg_catalog.pg_largeobject_metadata AS object ON object.oid = comment.objoid
WHERE comment.classoid = 'pg_catalog.pg_largeobject'::pg_catalog.regclass
  AND pg_catalog.starts_with(comment.description, '${PROGRESS_NOTE}')
  AND NOT EXISTS (
    SELECT FROM pg_catalog.pg_publication AS p WHERE '${PROGRESS_NOTE}' || p.pubname = comment.description
  )
ORDER BY object.oid`

/** The advisory locks of this database, with their keys of 64 bits as hexadecimal digits, and who holds them. */
export const ADVISORY_LOCKS = `
SELECT
  pg_catalog.lpad(pg_catalog.to_hex(l.classid::pg_catalog.int8), 8, '0')
    || pg_catalog.lpad(pg_catalog.to_hex(l.objid::pg_catalog.int8), 8, '0') AS digits,
  l.pid
FROM pg_catalog.pg_locks AS l
WHERE l.locktype = 'advisory'
  AND l.objsubid = 1
  AND l.granted
  AND l.database = (SELECT d.oid FROM pg_catalog.pg_database AS d WHERE d.datname = pg_catalog.current_database())`

/** Whether one of some tables ($1) has row-level security, and what the table $2 is a partition of. */
export const TABLE_SURROUNDINGS = `
SELECT
  EXISTS (SELECT FROM pg_catalog.pg_class AS c WHERE c.oid = ANY ($1::pg_catalog.oid[]) AND c.relrowsecurity) AS row_security,
  n.nspname AS root_schema,
  root.relname AS root_name
FROM pg_catalog.pg_class AS c
LEFT JOIN pg_catalog.pg_class AS root ON c.relispartition AND root.oid = pg_catalog.pg_partition_root(c.oid)
LEFT JOIN pg_catalog.pg_namespace AS n ON n.oid = root.relnamespace
WHERE c.oid = $2::pg_catalog.oid`
