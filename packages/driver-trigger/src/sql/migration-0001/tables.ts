import {
  GRACE_SECONDS,
  INSTALLATION_LITERAL,
  LEASE_LOCK,
  SCHEMA,
  SHAPE_ID_LITERAL,
  SLEEP_LITERAL,
  sql,
  STATE_LITERAL,
} from '../sql.ts'
import type { Sql } from '../sql.ts'

/** The queue's tables, as first made. */
export const TABLES: Sql = sql`
create schema if not exists ${SCHEMA};

comment on schema ${SCHEMA} is 'rowtap: the change queue of @rowtap/driver-trigger. Made and removed by rowtap.';

create table ${SCHEMA}.migration (
  number int primary key,
  applied_at timestamptz not null default pg_catalog.clock_timestamp()
);

-- The tag tells this queue's changes from those of one that was here before. By which transaction its row was written, and into
-- which table, tells a queue that was restored from a dump: what it holds of transactions and tables is of elsewhere.
create table ${SCHEMA}.installation (
  tag text not null default pg_catalog.left(pg_catalog.replace(pg_catalog.gen_random_uuid()::text, '-', ''), 12),
  created_at timestamptz not null default pg_catalog.clock_timestamp(),
  xid xid8 not null default pg_catalog.pg_current_xact_id(),
  relation oid not null
);

insert into ${SCHEMA}.installation (relation) values (${INSTALLATION_LITERAL}::regclass);

-- Who reads the queue, and how far everything is handled. Without a subscription's name it is ephemeral: it must
-- renew its lease. What is visible in its place is handled, and beyond that what was delivered up to a position
-- (acknowledged). Positions of a later era are greater than those of an earlier one. Of a subscription: the versions of
-- the triggers that it has seen last, so that it is told what was done to them while nobody ran; and how far its snapshots are
-- (progress: there are values of keys in it); since when it has been noticed that nobody reads it, and why its changes were
-- let go of, if they were (dropped).
create table ${SCHEMA}.consumer (
  id bigint generated always as identity primary key,
  subscription text unique,
  place pg_catalog.pg_snapshot not null,
  acknowledged text,
  era int not null default 0,
  triggers jsonb,
  lease_until timestamptz,
  process_id int not null,
  process_started timestamptz,
  created_at timestamptz not null default pg_catalog.clock_timestamp(),
  progress text,
  gone_since timestamptz,
  dropped text,
  check (subscription is not null or lease_until is not null)
);

-- Where a consumer divided the changes, beyond its place, and which tables it wanted until then: what it delivers again it
-- delivers in the same order, at the same positions.
create table ${SCHEMA}.tick (
  consumer bigint not null references ${SCHEMA}.consumer on delete cascade,
  ordinal bigint not null,
  snapshot pg_catalog.pg_snapshot not null,
  roots oid[] not null,
  primary key (consumer, ordinal)
);

-- The tables that a consumer wants to be captured, and which part of each: operations, columns of its rows, and conditions of
-- which one has to be true of a row (null: all of it). As long as transactions may be open that have been captured for less, it is
-- in doubt. The name that it was asked for by (asked: schema, table) may be another one's by now.
create table ${SCHEMA}.wanted (
  consumer bigint not null references ${SCHEMA}.consumer on delete cascade,
  relation oid not null,
  part jsonb,
  in_doubt boolean not null default false,
  asked text[],
  primary key (consumer, relation)
);

-- The attribute list that a captured row's text was written with, and the key. A table has one for each state that
-- these were in, told apart by the versions (xmin) of their rows in pg_index and pg_attribute, and by the table at the
-- top of its partition tree. Recorded by a reader, when all these versions had been committed: no later state can have
-- the same versions. None of this is unique, so that no writer ever waits for another one. Of rows that lack columns which
-- nobody wants there are others, with no versions. Settings says which settings decide how the row is printed: see
-- printed_under.
create sequence ${SCHEMA}.shape_id as int;

create table ${SCHEMA}.shape (
  id int primary key default pg_catalog.nextval(${SHAPE_ID_LITERAL}::regclass),
  relation oid not null,
  root oid not null,
  versions xid[] not null,
  content jsonb not null,
  settings int
);

-- A writer that meets an unknown state records it here, for its own transaction only. No writer reads it.
create table ${SCHEMA}.unsettled (
  id int primary key,
  xid xid8 not null default pg_catalog.pg_current_xact_id(),
  relation oid not null,
  root oid not null,
  content jsonb not null
);

create index shape_relation on ${SCHEMA}.shape (relation);

-- The queue. What operation is: I, U, D, T as in tg_op; P for a TRUNCATE of a partition alone; i, u, d for rows that were
-- changed and that nobody wants, once for each transaction, with neither a shape nor a text.
--
-- A row is a block of changes that one statement made (of old and new, a line each, as record_out prints a row; a lone
-- "-" for a row that cannot be told, a lone "." for one that nobody wants, or for a whole block of such rows): rows of them, the first of which is the statement's number first, counted from 0.
-- What a statement causes (in a trigger, in a function that it calls) ends, and is numbered, before it does. How many
-- rows of the table this session had inserted, updated and deleted when the statement ended (such as PostgreSQL's own
-- statistics count them, so that nothing has to be kept) tells which of its rows were written before that; the level
-- grows with every statement that another one causes.
--
-- Or it is one change that a row trigger captured. Then where each version of a row is (ctid, within a file of the table)
-- tells which change comes first: new_place is there where a version was changed again before its own trigger fired, and
-- (0,0) where places begin anew.
--
-- Writers fill one table; one that every reader is done with is emptied at once.
create sequence ${SCHEMA}.queue_seq maxvalue 9007199254740991;

create table ${SCHEMA}.queue_1 (
  xid xid8 not null,
  seq bigint not null,
  root oid not null,
  shape int not null,
  operation "char" not null,
  rows int not null default 1,
  first int,
  level int,
  inserted bigint,
  updated bigint,
  deleted bigint,
  file oid,
  old_place tid,
  new_place tid,
  old text,
  new text
) with (autovacuum_enabled = off, toast.autovacuum_enabled = off);

-- Captured text lives for moments: compressing it would only cost the writer.
alter table ${SCHEMA}.queue_1 alter column old set storage external, alter column new set storage external;

create table ${SCHEMA}.queue_2 (like ${SCHEMA}.queue_1 including defaults including storage)
  with (autovacuum_enabled = off, toast.autovacuum_enabled = off);
create table ${SCHEMA}.queue_3 (like ${SCHEMA}.queue_1 including defaults including storage)
  with (autovacuum_enabled = off, toast.autovacuum_enabled = off);

create index queue_1_order on ${SCHEMA}.queue_1 (xid, seq);
create index queue_2_order on ${SCHEMA}.queue_2 (xid, seq);
create index queue_3_order on ${SCHEMA}.queue_3 (xid, seq);

create index queue_1_late on ${SCHEMA}.queue_1 (xid, new_place) where new_place is not null;
create index queue_2_late on ${SCHEMA}.queue_2 (xid, new_place) where new_place is not null;
create index queue_3_late on ${SCHEMA}.queue_3 (xid, new_place) where new_place is not null;

create view ${SCHEMA}.queue as
select * from ${SCHEMA}.queue_1
union all
select * from ${SCHEMA}.queue_2
union all
select * from ${SCHEMA}.queue_3;

-- What writers are told, in one number: the second (since 1970) until which someone reads the queue, that is, the latest end
-- of a lease and a grace, times 8 (they capture nothing after that); which of the three tables they fill (0, 1, 2), times 2;
-- and 1 while a reader sleeps and wants to be woken. A sequence, because writers must see a change at once, whatever their
-- snapshot, and because looking at it costs them next to nothing.
create sequence ${SCHEMA}.state minvalue 0;

-- Until which second a reader that sleeps is to be woken: one that crashed in its sleep would have writers send notifications
-- for ever, and wait for each other at commit.
create sequence ${SCHEMA}.sleep_until minvalue 0;

-- Changes what writers are told; null leaves a part as it is.
create function ${SCHEMA}.instruct(until bigint, filled int, sleeps boolean) returns bigint
language plpgsql volatile set search_path = pg_catalog, pg_temp
as $rowtap_body$
declare
  present bigint;
begin
  perform pg_advisory_xact_lock(${LEASE_LOCK});
  present := coalesce(pg_sequence_last_value(${STATE_LITERAL}::regclass), 0);
  if sleeps then
    perform setval(${SLEEP_LITERAL}::regclass, extract(epoch from clock_timestamp())::bigint + 60);
  end if;
  return setval(
    ${STATE_LITERAL}::regclass,
    coalesce(until, present >> 3) * 8 + coalesce(filled, (present >> 1) & 3) * 2 + coalesce(sleeps::int, present & 1)
  );
end
$rowtap_body$;

-- Without a lease: for as long as there are readers.
create function ${SCHEMA}.extend_reading(lease_ms float8) returns bigint
language plpgsql volatile set search_path = pg_catalog, pg_temp
as $rowtap_body$
begin
  perform pg_advisory_xact_lock(${LEASE_LOCK});
  return ${SCHEMA}.instruct(
    greatest(
      pg_sequence_last_value(${STATE_LITERAL}::regclass) >> 3,
      case
        when lease_ms is null then 1::bigint << 40
        else ceil(extract(epoch from clock_timestamp()) + lease_ms / 1000 + ${GRACE_SECONDS})::bigint
      end
    ),
    null, null
  );
end
$rowtap_body$;
`
