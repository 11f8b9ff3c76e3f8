import { IS_EXPIRED } from './consumer-statements.ts'
import { wantsRows } from './filter-statements.ts'
import { INSTALL_LOCK, SCHEMA, SCHEMA_LITERAL, sql } from './sql.ts'
import type { Sql } from './sql.ts'

/** Waits for the right to change what is installed, and holds it until the transaction ends. */
export const TAKE_INSTALL_LOCK: Sql = sql`select pg_catalog.pg_advisory_xact_lock(${INSTALL_LOCK})`

/** How long a statement of this transaction may wait for a lock: writers queue behind whoever waits. */
export const SHORT_LOCK_TIMEOUT: Sql = sql`set local lock_timeout = '200ms'`

/** The same for a lock that others are kept waiting with more often. */
export const MOMENTARY_LOCK_TIMEOUT: Sql = sql`set local lock_timeout = '50ms'`

/** The row of {@link FIND_INSTALLATION}. */
export interface FoundInstallation {
  readonly exists: boolean
  readonly ours: boolean
  readonly filled: boolean
  readonly usable: boolean
  readonly owner: string
  readonly role: string
  readonly database: string
  readonly may_create: boolean
}

/** Whether the schema is there, whether rowtap made it, and whether the role may use it. */
export const FIND_INSTALLATION: Sql = sql`
select
  n.oid is not null as exists,
  coalesce(pg_catalog.obj_description(n.oid, 'pg_namespace') like 'rowtap: %', false) as ours,
  exists (select from pg_catalog.pg_class r where r.relnamespace = n.oid and r.relname = 'migration') as filled,
  -- Who owns the schema decides what runs when it is used: only the role itself and superusers are trusted.
  coalesce(o.rolname = current_user or o.rolsuper and pg_catalog.pg_has_role(o.oid, 'USAGE'), false) as usable,
  pg_catalog.pg_get_userbyid(n.nspowner)::text as owner,
  current_user::text as role,
  pg_catalog.current_database()::text as database,
  pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE') as may_create
from (select) as one
left join pg_catalog.pg_namespace n on n.nspname = ${SCHEMA_LITERAL}
left join pg_catalog.pg_roles o on o.oid = n.nspowner
`

/** The last migration that was applied. */
export const LAST_MIGRATION: Sql = sql`select coalesce(pg_catalog.max(number), 0) as number from ${SCHEMA}.migration`

/** Notes that migration $1 was applied. */
export const NOTE_MIGRATION: Sql = sql`insert into ${SCHEMA}.migration (number) values ($1)`

/** The triggers of ours on a table ($1). */
export const FIND_TRIGGERS: Sql = sql`
select t.tgname::text as name, t.tgenabled::text as enabled
from pg_catalog.pg_trigger t
join pg_catalog.pg_proc p on p.oid = t.tgfoid
join pg_catalog.pg_namespace n on n.oid = p.pronamespace
where t.tgrelid = $1::oid and not t.tgisinternal and t.tgparentid = 0 and n.nspname = ${SCHEMA_LITERAL}
`

/**
 * Whether the rows that statements write to a table `r` (a row of pg_class) can be captured as a whole. A statement's
 * rows are those of the tables that inherit from it, too, which have triggers of their own, and what is written through a
 * parent has none of the child's. Where the size of temporary files is limited, keeping the rows could make it fail; where
 * the server does not count what is written, nothing tells which rows a statement wrote before those that it caused.
 *
 * A trigger that may write something, take it back and go on makes PostgreSQL count rows that are not there, which hides
 * which rows a statement wrote before those that it caused.
 */
const CAPTURE_KIND: Sql = sql`case
    when r.relkind = 'r' and not r.relispartition and r.relam = 2
      and not exists (select from pg_catalog.pg_inherits i where r.oid in (i.inhrelid, i.inhparent))
      and pg_catalog.current_setting('temp_file_limit') = '-1' and pg_catalog.current_setting('track_counts') = 'on'
      and not exists (
        select from pg_catalog.pg_db_role_setting s
        where pg_catalog.array_to_string(s.setconfig, ' ') ~ '(temp_file_limit|track_counts)='
          and (s.setdatabase = 0 or s.setdatabase = (
            select d.oid from pg_catalog.pg_database d where d.datname = pg_catalog.current_database()
          ))
      )
      and not exists (
        select
        from pg_catalog.pg_trigger g
        join pg_catalog.pg_proc p on p.oid = g.tgfoid
        join pg_catalog.pg_language l on l.oid = p.prolang
        where g.tgrelid = r.oid and not g.tgisinternal
          and p.pronamespace not in (select n.oid from pg_catalog.pg_namespace n where n.nspname = ${SCHEMA_LITERAL})
          and (l.lanname not in ('internal', 'c', 'sql', 'plpgsql') or p.prosrc ~* '\\mexception\\s+when\\M')
      )
    then 'statement'
    else 'row'
  end`

/**
 * Where statements tell of all changes of a table `r`: none is written through a parent, to a child, or to a partition, and
 * the server counts what they change.
 */
const SIGNAL_KIND: Sql = sql`case
    when r.relkind = 'r' and not r.relispartition and r.relam = 2
      and not exists (select from pg_catalog.pg_inherits i where r.oid in (i.inhrelid, i.inhparent))
    then 'signal'
    else 'row signal'
  end`

/**
 * The tables that the consumer $1 wants, and which part of them: their names, whether they are partitions now, whether anybody
 * wants their rows, what captures them best, with rows and without, and, one row each, the versions
 * (xmin) of the triggers of ours on them and their partitions.
 */
export const FIND_WANTED_TRIGGERS: Sql = sql`
select w.relation::text as oid, w.part, n.nspname::text as schema, r.relname::text as table,
  r.relispartition as is_partition, ${CAPTURE_KIND} as kind, ${SIGNAL_KIND} as "signalKind",
  exists (select from ${SCHEMA}.wanted o where o.relation = w.relation and ${wantsRows('o')}) as "hasRows",
  exists (select from pg_catalog.pg_inherits i where r.oid in (i.inhrelid, i.inhparent)) as inherits,
  pg_catalog.pg_has_role(r.relowner, 'USAGE') as "isOwned",
  tree.relation::text, t.oid::text as trigger, t.tgname::text as name, t.tgenabled::text as enabled, t.xmin::text as version
from ${SCHEMA}.wanted w
left join pg_catalog.pg_class r on r.oid = w.relation
left join pg_catalog.pg_namespace n on n.oid = r.relnamespace
cross join lateral (
  select w.relation union select p.relid::oid from pg_catalog.pg_partition_tree(w.relation) p
) tree (relation)
left join (
  select t.oid, t.tgrelid, t.tgname, t.tgenabled, t.xmin
  from pg_catalog.pg_trigger t
  join pg_catalog.pg_proc p on p.oid = t.tgfoid
  join pg_catalog.pg_namespace n on n.oid = p.pronamespace
  where n.nspname = ${SCHEMA_LITERAL}
) t on t.tgrelid = tree.relation
where w.consumer = $1::bigint
`

/** The table of a name ($1: schema, $2: name). */
export const FIND_NAMED: Sql = sql`
select r.oid::text as oid
from pg_catalog.pg_class r
join pg_catalog.pg_namespace n on n.oid = r.relnamespace
where n.nspname = $1 and r.relname = $2
`

const unwantedTriggers = (except: Sql): Sql => sql`
select t.tgname::text as name, t.tgrelid::text as relation, tn.nspname::text as schema, r.relname::text as table,
  t.tgtype & 1 <> 0 as "isHandedDown"
from pg_catalog.pg_trigger t
join pg_catalog.pg_proc p on p.oid = t.tgfoid
join pg_catalog.pg_namespace n on n.oid = p.pronamespace
join pg_catalog.pg_class r on r.oid = t.tgrelid
join pg_catalog.pg_namespace tn on tn.oid = r.relnamespace
where not t.tgisinternal and t.tgparentid = 0 and n.nspname = ${SCHEMA_LITERAL}
  and not exists (select from ${SCHEMA}.wanted w where w.relation in (r.oid, coalesce(pg_catalog.pg_partition_root(r.oid), r.oid))${except})
order by r.oid, t.tgname
`

/** The tables and partitions with triggers of ours. */
export const FIND_TRIGGERED: Sql = sql`
select distinct t.tgrelid::text as oid, tn.nspname::text as schema, r.relname::text as name
from pg_catalog.pg_trigger t
join pg_catalog.pg_proc p on p.oid = t.tgfoid
join pg_catalog.pg_namespace n on n.oid = p.pronamespace
join pg_catalog.pg_class r on r.oid = t.tgrelid
join pg_catalog.pg_namespace tn on tn.oid = r.relnamespace
where n.nspname = ${SCHEMA_LITERAL}
order by 1
`

/** The triggers of ours on tables that no consumer wants (any more). */
export const FIND_UNWANTED_TRIGGERS: Sql = unwantedTriggers(sql``)

/**
 * Those that there would be if the consumer $1 did not want the tables $2, and, where $3 is true, the consumers that have
 * expired were gone.
 */
export const FIND_UNWANTED_WITHOUT: Sql = unwantedTriggers(sql`
  and not (w.consumer = $1::bigint and w.relation = any ($2::oid[]))
  and not ($3::boolean and exists (select from ${SCHEMA}.consumer c where c.id = w.consumer and ${IS_EXPIRED}))`)

/** A table ($1) and all its partitions, the table first. */
export const PARTITION_TREE: Sql = sql`
select r.oid::text as oid, n.nspname::text as schema, r.relname::text as name, ${CAPTURE_KIND} as kind,
  ${SIGNAL_KIND} as "signalKind", pg_catalog.pg_has_role(r.relowner, 'USAGE') as "isOwned",
  o.rolname::text as owner, o.rolsuper as "ownerIsSuperuser", current_user::text as role
from pg_catalog.pg_class r
join pg_catalog.pg_namespace n on n.oid = r.relnamespace
join pg_catalog.pg_roles o on o.oid = r.relowner
where r.oid = $1::oid or r.oid in (select t.relid from pg_catalog.pg_partition_tree($1::oid) t)
order by r.oid <> $1::oid, n.nspname, r.relname
`

/** The server processes that hold a lock on a table ($1) or its partitions which a CREATE TRIGGER has to wait for. */
export const FIND_BLOCKERS: Sql = sql`
select distinct l.pid
from pg_catalog.pg_locks l
where l.locktype = 'relation' and l.granted and l.pid <> pg_catalog.pg_backend_pid()
  and l.database = (select d.oid from pg_catalog.pg_database d where d.datname = pg_catalog.current_database())
  and l.mode not in ('AccessShareLock', 'RowShareLock')
  and l.relation in (select $1::oid union select t.relid from pg_catalog.pg_partition_tree($1::oid) t)
order by l.pid
`

/** The tables with triggers of ours that no consumer wants, each with a server process that holds a lock on it, or none. */
export const FIND_LEFT_BEHIND: Sql = sql`
select distinct tn.nspname::text as schema, r.relname::text as name, l.pid
from pg_catalog.pg_trigger t
join pg_catalog.pg_proc p on p.oid = t.tgfoid
join pg_catalog.pg_namespace n on n.oid = p.pronamespace
join pg_catalog.pg_class r on r.oid = t.tgrelid
join pg_catalog.pg_namespace tn on tn.oid = r.relnamespace
left join pg_catalog.pg_locks l on l.locktype = 'relation' and l.relation = r.oid and l.granted
  and l.pid <> pg_catalog.pg_backend_pid()
  and l.database = (select d.oid from pg_catalog.pg_database d where d.datname = pg_catalog.current_database())
where not t.tgisinternal and n.nspname = ${SCHEMA_LITERAL}
  and not exists (select from ${SCHEMA}.wanted w where w.relation in (r.oid, coalesce(pg_catalog.pg_partition_root(r.oid), r.oid)))
order by 1, 2, 3
`

/** Removes everything: the capture function takes its triggers along, wherever they are and whoever owns the table. */
export const DROP_INSTALLATION: Sql = sql`
drop function if exists ${SCHEMA}.capture() cascade;
drop function if exists ${SCHEMA}.capture_statement() cascade;
drop function if exists ${SCHEMA}.signal() cascade;
drop function if exists ${SCHEMA}.enqueue(oid, int, "char", int, int, int, bigint, bigint, bigint, text, text);
drop function if exists ${SCHEMA}.restore_settings(text[]);
drop function if exists ${SCHEMA}.print_settings();
drop function if exists ${SCHEMA}.monetary_locale();
drop function if exists ${SCHEMA}.planned_shape();
drop function if exists ${SCHEMA}.planned_settings();
drop function if exists ${SCHEMA}.committed_shape(oid);
drop function if exists ${SCHEMA}.captured_top(oid);
drop function if exists ${SCHEMA}.printed_under(oid);
drop function if exists ${SCHEMA}.settled_shape(oid);
drop function if exists ${SCHEMA}.record_shape(oid, oid);
drop function if exists ${SCHEMA}.unsettled_shape(oid, oid);
drop function if exists ${SCHEMA}.own_shape(oid, oid, text, jsonb);
drop function if exists ${SCHEMA}.settle_shape(oid);
drop function if exists ${SCHEMA}.shape_content(oid);
drop function if exists ${SCHEMA}.extend_reading(float8);
drop function if exists ${SCHEMA}.instruct(bigint, int, boolean);
drop view if exists ${SCHEMA}.queue;
drop table if exists ${SCHEMA}.queue_1, ${SCHEMA}.queue_2, ${SCHEMA}.queue_3, ${SCHEMA}.shape, ${SCHEMA}.unsettled, ${SCHEMA}.wanted, ${SCHEMA}.tick, ${SCHEMA}.consumer,
  ${SCHEMA}.installation, ${SCHEMA}.migration;
drop sequence if exists ${SCHEMA}.state, ${SCHEMA}.sleep_until, ${SCHEMA}.shape_id, ${SCHEMA}.queue_seq;
`

/** Removes the schema, if it is empty. */
export const DROP_SCHEMA: Sql = sql`drop schema ${SCHEMA} restrict`
