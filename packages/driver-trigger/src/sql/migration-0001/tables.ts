import { SCHEMA, sql } from '../sql.ts'
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

-- The attribute list that a captured row's text was written with. A table has one for each state that its columns
-- were in, told apart by the versions (xmin) of its rows in pg_attribute.
--
-- A settled shape (owner is null) was recorded by a reader, when all these versions had been committed: no later state
-- of the columns can have the same versions. A writer that meets an unknown state records it for its own transaction
-- only, with the rows' places (ctid) to tell apart the states within it. None of this is unique, so that no writer
-- ever waits for another one.
create table ${SCHEMA}.shape (
  id int generated always as identity primary key,
  relation oid not null,
  root oid not null,
  owner xid8,
  versions xid[] not null,
  places tid[],
  content jsonb not null
);

create index shape_relation on ${SCHEMA}.shape (relation);

-- What operation is: I, U, D, T as in tg_op; P for a TRUNCATE of a partition alone.
create table ${SCHEMA}.queue (
  xid xid8 not null,
  seq bigint generated always as identity (maxvalue 9007199254740991),
  root oid not null,
  shape int not null,
  operation "char" not null,
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

-- Captured text lives for moments: compressing it would only cost the writer.
alter table ${SCHEMA}.queue alter column old set storage external;
alter table ${SCHEMA}.queue alter column new set storage external;

-- 2 while a reader sleeps and wants to be woken. A sequence, because writers must see the change at once, whatever
-- their snapshot, and because looking at it costs them next to nothing.
create sequence ${SCHEMA}.sleep minvalue 1 maxvalue 2;
`
