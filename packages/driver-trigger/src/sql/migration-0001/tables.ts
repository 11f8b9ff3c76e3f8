import { GRACE_SECONDS, LEASE_LOCK, READ_UNTIL_LITERAL, SCHEMA, SHAPE_ID_LITERAL, sql } from '../sql.ts'
import type { Sql } from '../sql.ts'

/** The queue's tables, as first made. */
export const TABLES: Sql = sql`
create schema if not exists ${SCHEMA};

comment on schema ${SCHEMA} is 'rowtap: the change queue of @rowtap/driver-trigger. Made and removed by rowtap.';

create table ${SCHEMA}.migration (
  number int primary key,
  applied_at timestamptz not null default pg_catalog.clock_timestamp()
);

-- The tag tells this queue's changes from those of one that was here before.
create table ${SCHEMA}.installation (
  tag text not null,
  created_at timestamptz not null default pg_catalog.clock_timestamp()
);

insert into ${SCHEMA}.installation (tag)
values (pg_catalog.left(pg_catalog.replace(pg_catalog.gen_random_uuid()::text, '-', ''), 12));

-- Who reads the queue, and how far everything is handled. Without a subscription's name it is ephemeral: it must
-- renew its lease, and lives no longer than the server process that it last spoke to.
create table ${SCHEMA}.consumer (
  id bigint generated always as identity primary key,
  subscription text unique,
  place pg_catalog.pg_snapshot not null,
  lease_until timestamptz,
  process_id int not null,
  process_started timestamptz not null,
  created_at timestamptz not null default pg_catalog.clock_timestamp(),
  check (subscription is not null or lease_until is not null)
);

-- The tables that a consumer wants to be captured.
create table ${SCHEMA}.wanted (
  consumer bigint not null references ${SCHEMA}.consumer on delete cascade,
  relation oid not null,
  primary key (consumer, relation)
);

-- The attribute list that a captured row's text was written with, and the key. A table has one for each state that
-- these were in, told apart by the versions (xmin) of their rows in pg_index and pg_attribute, and by the table at the
-- top of its partition tree. Recorded by a reader, when all these versions had been committed: no later state can have
-- the same versions. None of this is unique, so that no writer ever waits for another one.
create sequence ${SCHEMA}.shape_id as int;

create table ${SCHEMA}.shape (
  id int primary key default pg_catalog.nextval(${SHAPE_ID_LITERAL}::regclass),
  relation oid not null,
  root oid not null,
  versions xid[] not null,
  content jsonb not null
);

-- A writer that meets an unknown state records it here, for its own transaction only. No writer reads it.
create table ${SCHEMA}.unsettled (
  id int primary key,
  relation oid not null,
  root oid not null,
  content jsonb not null
);

create index shape_relation on ${SCHEMA}.shape (relation);

-- What operation is: I, U, D, T as in tg_op; P for a TRUNCATE of a partition alone.
--
-- Triggers fire when their statement ends: what a statement causes (in a trigger, in a function that it calls) is
-- numbered before what it wrote itself. Where each version of a row is (ctid, within a file of the table) tells which
-- change comes first: new_place is there where a version was changed again before its own trigger fired, and (0,0) where
-- places begin anew.
create table ${SCHEMA}.queue (
  xid xid8 not null,
  seq bigint generated always as identity (maxvalue 9007199254740991),
  root oid not null,
  shape int not null,
  operation "char" not null,
  file oid,
  old_place tid,
  new_place tid,
  old text,
  new text,
  primary key (xid, seq)
) with (
  autovacuum_vacuum_scale_factor = 0,
  autovacuum_vacuum_threshold = 20000,
  autovacuum_vacuum_insert_scale_factor = 0,
  autovacuum_vacuum_insert_threshold = 200000,
  autovacuum_analyze_scale_factor = 0,
  autovacuum_analyze_threshold = 100000,
  autovacuum_vacuum_cost_delay = 0,
  toast.autovacuum_vacuum_scale_factor = 0,
  toast.autovacuum_vacuum_threshold = 20000,
  toast.autovacuum_vacuum_cost_delay = 0
);

create index queue_late on ${SCHEMA}.queue (xid, new_place) where new_place is not null;

-- Captured text lives for moments: compressing it would only cost the writer.
alter table ${SCHEMA}.queue alter column old set storage external;
alter table ${SCHEMA}.queue alter column new set storage external;

-- 2 while a reader sleeps and wants to be woken. A sequence, because writers must see the change at once, whatever
-- their snapshot, and because looking at it costs them next to nothing.
create sequence ${SCHEMA}.sleep minvalue 1 maxvalue 2;

-- The second (since 1970) until which someone reads the queue: the latest end of a lease, and a grace. Writers capture
-- nothing after that. A sequence for the same reasons.
create sequence ${SCHEMA}.read_until minvalue 0;

create function ${SCHEMA}.extend_reading(lease_ms float8) returns bigint
language plpgsql volatile set search_path = pg_catalog, pg_temp
as $rowtap_body$
begin
  perform pg_advisory_xact_lock(${LEASE_LOCK});
  return setval(${READ_UNTIL_LITERAL}::regclass, greatest(
    pg_sequence_last_value(${READ_UNTIL_LITERAL}::regclass),
    ceil(extract(epoch from clock_timestamp()) + lease_ms / 1000 + ${GRACE_SECONDS})::bigint
  ));
end
$rowtap_body$;
`
