import { IS_AT_HOME } from './origin-statements.ts'
import { GRACE_SECONDS, SCHEMA, sql, STATE_LITERAL } from './sql.ts'
import type { Sql } from './sql.ts'

/**
 * Registers a consumer whose place is now: with a lease of $1 milliseconds, or as the subscription $2. Its positions are of
 * the era $3. $4: 1 if it has a process of the server that its life can be told by, otherwise 0.
 */
export const REGISTER_CONSUMER: Sql = sql`
insert into ${SCHEMA}.consumer (place, lease_until, process_id, process_started, subscription, era)
select
  pg_catalog.pg_current_snapshot(),
  case when $2::text is null then
    pg_catalog.clock_timestamp() + pg_catalog.make_interval(secs => $1::float8 / 1000)
  end,
  case when $4::int = 1 then a.pid else 0 end, a.backend_start, $2::text, $3::int
from pg_catalog.pg_stat_activity a
where a.pid = pg_catalog.pg_backend_pid()
returning id::text, place::text, acknowledged, era, (select tag from ${SCHEMA}.installation limit 1) as tag,
  triggers, ${SCHEMA}.extend_reading(case when $2::text is null then $1::float8 end)
`

/** Tells writers that someone reads for at least $1 more milliseconds; null: for as long as there are readers. */
export const EXTEND_READING: Sql = sql`select ${SCHEMA}.extend_reading($1)`

/** Tells writers that nobody reads, if so. Needs the install lock, without which nobody may begin. */
export const END_READING: Sql = sql`
select ${SCHEMA}.instruct(0, null, null)
where not exists (select from ${SCHEMA}.consumer c where c.dropped is null)
`

/**
 * Where no subscription is left, has writers end by themselves again when readers do: no lease is longer than a day. Needs
 * the install lock.
 */
export const LIMIT_READING: Sql = sql`
select ${SCHEMA}.instruct(
  (extract(epoch from pg_catalog.clock_timestamp()) + 86400 + ${GRACE_SECONDS})::bigint, null, null
)
where not exists (select from ${SCHEMA}.consumer c where c.subscription is not null and c.dropped is null)
  and (pg_catalog.pg_sequence_last_value(${STATE_LITERAL}::regclass) >> 3) >= 1::bigint << 40
`

/** Whether a consumer `c` can have missed nothing: writers have captured without a break since it last renewed its lease. */
export const IS_HELD: Sql = sql`(
  c.lease_until is null
  or c.lease_until + pg_catalog.make_interval(secs => ${GRACE_SECONDS}) > pg_catalog.clock_timestamp()
)`

/**
 * Renews the lease of consumer $1 by $2 milliseconds, if it still holds its place, and stores its place ($3) and up to
 * where everything is handled ($4). Its process is $5; another one has taken it over where it is not.
 */
export const RENEW_CONSUMER: Sql = sql`
update ${SCHEMA}.consumer c
set place = $3::pg_snapshot,
  acknowledged = $4::text,
  lease_until = case when c.subscription is null then
    pg_catalog.clock_timestamp() + pg_catalog.make_interval(secs => $2::float8 / 1000)
  end
where c.id = $1::bigint and c.process_id = $5::int and c.dropped is null and ${IS_HELD}
`

/**
 * Goes on as the consumer $1 of the queue with the tag $3, if that is at home here and it still holds its place; its lease is $2 milliseconds from
 * now on. $4: as above. Whoever was it before is it no more.
 */
export const RESUME_CONSUMER: Sql = sql`
update ${SCHEMA}.consumer c
set lease_until = case when c.subscription is null then
    pg_catalog.clock_timestamp() + pg_catalog.make_interval(secs => $2::float8 / 1000)
  end,
  process_id = case when $4::int = 1 then a.pid else 0 end,
  process_started = a.backend_start,
  gone_since = null
from pg_catalog.pg_stat_activity a
where c.id = $1::bigint and a.pid = pg_catalog.pg_backend_pid() and ${IS_HELD}
  and exists (select from ${SCHEMA}.installation i where i.tag = $3::text)
  and ${IS_AT_HOME}
returning c.id::text, c.place::text, c.acknowledged, c.era, $3::text as tag, c.triggers, c.dropped,
  pg_catalog.pg_snapshot_xmax(c.place) <= pg_catalog.pg_snapshot_xmax(pg_catalog.pg_current_snapshot()) as "isPast",
  case when c.dropped is null then
    ${SCHEMA}.extend_reading(case when c.subscription is null then $2::float8 end)
  end
`

/** The consumer of the subscription $1. */
export const FIND_SUBSCRIPTION: Sql = sql`
select c.id::text, (select tag from ${SCHEMA}.installation limit 1) as tag
from ${SCHEMA}.consumer c
where c.subscription = $1::text
`

/** Removes the consumer of the subscription $1. */
export const REMOVE_SUBSCRIPTION: Sql = sql`delete from ${SCHEMA}.consumer where subscription = $1::text`

/**
 * The tables that the consumer $1 wants, and which part of them: their names, null where they are gone; the
 * names that they were asked for by, as far as that is known; and whether other tables have those by now.
 */
export const WANTED_TABLES: Sql = sql`
select w.relation::text as oid, n.nspname::text as schema, r.relname::text as name, w.part, w.in_doubt as "isInDoubt",
  w.asked[1] as "askedSchema", w.asked[2] as "askedName",
  exists (
    select from pg_catalog.pg_class o
    join pg_catalog.pg_namespace m on m.oid = o.relnamespace
    where m.nspname = w.asked[1] and o.relname = w.asked[2] and o.oid <> w.relation
  ) as "isReplaced"
from ${SCHEMA}.wanted w
left join pg_catalog.pg_class r on r.oid = w.relation
left join pg_catalog.pg_namespace n on n.oid = r.relnamespace
where w.consumer = $1::bigint
order by w.relation
`

/** The consumer $1 wants the tables $2 by their names $4, each in the schema $3. */
export const NAME_WANTED: Sql = sql`
update ${SCHEMA}.wanted w
set asked = array[n.schema, n.name]
from rows from (pg_catalog.unnest($2::oid[]), pg_catalog.unnest($3::text[]), pg_catalog.unnest($4::text[]))
  as n (relation, schema, name)
where w.consumer = $1::bigint and w.relation = n.relation and w.asked is distinct from array[n.schema, n.name]
`

/** Remembers for the consumer $1 the versions of the triggers ($2) that it has seen. */
export const REMEMBER_TRIGGERS: Sql = sql`
update ${SCHEMA}.consumer set triggers = $2::jsonb where id = $1::bigint
`

/** Where the consumer $1 divided the changes, in order. */
export const FIND_TICKS: Sql = sql`
select t.snapshot::text, t.roots::text[] from ${SCHEMA}.tick t where t.consumer = $1::bigint order by t.ordinal
`

/** Forgets where the consumer $1 divided the changes, up to the ordinal $2. */
export const REMOVE_TICKS: Sql = sql`
delete from ${SCHEMA}.tick where consumer = $1::bigint and ordinal <= $2::bigint
`

/** Removes the consumer $1. */
export const REMOVE_CONSUMER: Sql = sql`delete from ${SCHEMA}.consumer where id = $1::bigint`

/**
 * Whether a consumer `c` is ephemeral and its connection has ended, or it gave no sign of life for its lease. (Of a
 * process of another role only the number can be seen, and of one's own, where a login acts as another role.)
 */
export const IS_EXPIRED: Sql = sql`c.subscription is null
  and (
    c.lease_until < pg_catalog.clock_timestamp()
    or c.process_id <> 0 and not exists (
      select
      from pg_catalog.pg_stat_activity a
      where a.pid = c.process_id and (a.backend_start = c.process_started) is not false
    )
  )`

/** Removes the consumers that have expired, except $1. */
export const REMOVE_EXPIRED: Sql = sql`
delete from ${SCHEMA}.consumer c
where c.id <> $1::bigint and ${IS_EXPIRED}
`

/** Removes the consumers whose lease has run out, except $1: one whose connection was lost may be about to come again. */
export const REMOVE_OVERDUE: Sql = sql`
delete from ${SCHEMA}.consumer c
where c.id <> $1::bigint and c.subscription is null and c.lease_until < pg_catalog.clock_timestamp()
`

/** Whether anybody reads the queue. */
export const COUNT_CONSUMERS: Sql = sql`select pg_catalog.count(*)::int as consumers from ${SCHEMA}.consumer`

/** The consumer $1 wants the part $3 of the table $2; null: all of it. */
export const ADD_WANTED: Sql = sql`
insert into ${SCHEMA}.wanted (consumer, relation, part) values ($1::bigint, $2::oid, $3::jsonb)
on conflict (consumer, relation) do update set part = excluded.part, in_doubt = false
`

/** Transactions may be open that have been captured for less of the table $2 than the consumer $1 wants. */
export const DOUBT_WANTED: Sql = sql`
update ${SCHEMA}.wanted set in_doubt = true where consumer = $1::bigint and relation = $2::oid
`

/** No such transaction is open any more. */
export const CONFIRM_WANTED: Sql = sql`
update ${SCHEMA}.wanted set in_doubt = false where consumer = $1::bigint and relation = $2::oid
`

/** The consumer $1 no longer wants the tables $2. */
export const REMOVE_WANTED: Sql = sql`
delete from ${SCHEMA}.wanted where consumer = $1::bigint and relation = any ($2::oid[])
`
