import { SHAPE_CONTENT } from './shape-content.ts'
import { sql } from './sql.ts'
import type { Sql } from './sql.ts'

/** A table by schema ($1) and name ($2): its kind, its shape, and what the role may do with it. */
export const FIND_TABLE: Sql = sql`
select
  r.oid::text as oid, r.relkind::text as kind, r.relpersistence::text as persistence, r.oid::int8 < 16384 as system,
  pg_catalog.has_schema_privilege(n.oid, 'USAGE') as "schemaIsOpen",
  pg_catalog.has_table_privilege(r.oid, 'SELECT') and pg_catalog.has_table_privilege(r.oid, 'TRIGGER') as privileged,
  coalesce((
    select pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object('schema', pn.nspname, 'name', p.relname) order by p.oid)
    from pg_catalog.pg_partition_tree(r.oid) t
    join pg_catalog.pg_class p on p.oid = t.relid
    join pg_catalog.pg_namespace pn on pn.oid = p.relnamespace
    where p.oid <> r.oid and not pg_catalog.has_table_privilege(p.oid, 'TRIGGER')
  ), '[]') as "closedPartitions",
  current_user::text as role,
  r.relispartition as is_partition, rn.nspname as root_schema, root.relname as root_name,
  ${SHAPE_CONTENT} as content
from pg_catalog.pg_class r
join pg_catalog.pg_namespace n on n.oid = r.relnamespace
left join pg_catalog.pg_class root on r.relispartition and root.oid = pg_catalog.pg_partition_root(r.oid)
left join pg_catalog.pg_namespace rn on rn.oid = root.relnamespace
where n.nspname = $1 and r.relname = $2
`

/** Every table that could be meant by a misspelled name, those of the schema $1 first. */
export const TABLE_NAMES: Sql = sql`
select n.nspname as schema, r.relname as name
from pg_catalog.pg_class r
join pg_catalog.pg_namespace n on n.oid = r.relnamespace
where r.relkind in ('r', 'p') and r.relpersistence = 'p' and not r.relispartition
  and n.nspname <> 'information_schema' and n.nspname not like 'pg\_%'
order by n.nspname <> $1, n.nspname, r.relname
limit 2000
`

/** What a session must know of the server and of its role. */
export const SERVER: Sql = sql`
select
  pg_catalog.current_setting('server_version_num')::int as version_number,
  pg_catalog.current_setting('server_version') as version,
  pg_catalog.pg_is_in_recovery() as in_recovery,
  pg_catalog.current_setting('track_commit_timestamp') = 'on' as commit_times,
  pg_catalog.current_setting('max_prepared_transactions') <> '0' as prepared_transactions,
  (select s.reset_val from pg_catalog.pg_settings s where s.name = 'search_path') as search_path
`

/** Lifts limits that not every version of PostgreSQL has: for the session, or for the transaction alone. */
function unlimited(isLocal: boolean): Sql {
  return sql`select pg_catalog.set_config(s.name, '0', ${() => String(isLocal)}) from pg_catalog.pg_settings s
where s.name in ('transaction_timeout', 'idle_session_timeout')`
}

/**
 * Settings of a session of ours: nothing that the role or the database sets may get in the way. A client whose machine is
 * gone holds its locks until the server notices: within about five seconds it does.
 */
export const SESSION_SETTINGS: Sql = sql`
set session characteristics as transaction isolation level read committed, read write, not deferrable;
set search_path = pg_catalog, pg_temp;
set "DateStyle" = 'ISO, MDY';
set "IntervalStyle" = 'postgres';
set "TimeZone" = 'UTC';
set bytea_output = 'hex';
set extra_float_digits = 1;
set client_encoding = 'UTF8';
set statement_timeout = 0;
set lock_timeout = 0;
set idle_in_transaction_session_timeout = 0;
${unlimited(false)};
set tcp_keepalives_idle = 2;
set tcp_keepalives_interval = 1;
set tcp_keepalives_count = 3;
set synchronous_commit = off;
set jit = off;
`

/** Begins a transaction with the same settings, for as long as it lasts, where a session's may become someone else's. */
export const LOCAL_SETTINGS: Sql = sql`
begin isolation level read committed, read write, not deferrable;
set local search_path = pg_catalog, pg_temp;
set local "DateStyle" = 'ISO, MDY';
set local "IntervalStyle" = 'postgres';
set local "TimeZone" = 'UTC';
set local bytea_output = 'hex';
set local extra_float_digits = 1;
set local statement_timeout = 0;
set local lock_timeout = 0;
set local synchronous_commit = off;
set local jit = off;
`

/** The limits that such a transaction lifts by a query, before which nothing can be said of its isolation any more. */
export const LOCAL_LIMITS: Sql = unlimited(true)

/** The same as {@link READER_SETTINGS}, for one transaction. */
export const LOCAL_READER_SETTINGS: Sql = sql`
set local enable_seqscan = off;
set local enable_bitmapscan = off;
set local plan_cache_mode = force_generic_plan;
`

/** When this process of the server began: another one may have its number later. Null for a role that may not see it. */
export const PROCESS_STARTED: Sql = sql`
select a.backend_start::text as started from pg_catalog.pg_stat_activity a where a.pid = pg_catalog.pg_backend_pid()
`

/** Ends those of the processes $1, which began at $2, that are still there. Waits for the end of each for a second. */
export const END_PROCESSES: Sql = sql`
select pg_catalog.pg_terminate_backend(a.pid, 1000)
from rows from (pg_catalog.unnest($1::int[]), pg_catalog.unnest($2::text[])) as former (pid, started)
join pg_catalog.pg_stat_activity a on a.pid = former.pid and a.backend_start::text = former.started
where a.pid <> pg_catalog.pg_backend_pid()
`

/**
 * What the process $1 is doing: no row where it has ended, \`idle\` true where it waits for us to say, or to read, something;
 * false where the role may not see that; \`seen\` whether it may.
 */
export const IS_IDLE: Sql = sql`
select a.state is not null and (a.state <> 'active' or a.wait_event_type is not distinct from 'Client') as idle,
  a.state is not null as seen
from pg_catalog.pg_stat_activity a
where a.pid = $1::int
`

/** The queue is read through its index, even where statistics from a quieter moment suggest otherwise. */
export const READER_SETTINGS: Sql = sql`
set enable_seqscan = off;
set enable_bitmapscan = off;
set plan_cache_mode = force_generic_plan;
`

/**
 * What is noted of a subscription is on the disk before anything is delivered, and with it every commit before: what was
 * delivered has happened, whatever happens to the server.
 */
export const DURABLE_SETTINGS: Sql = sql`set synchronous_commit = on`
