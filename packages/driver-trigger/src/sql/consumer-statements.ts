import { GRACE_SECONDS, SCHEMA, sql } from './sql.ts'
import type { Sql } from './sql.ts'

/** Registers an ephemeral consumer with a lease of $1 milliseconds. Its place is now. */
export const REGISTER_CONSUMER: Sql = sql`
insert into ${SCHEMA}.consumer (place, lease_until, process_id, process_started)
select
  pg_catalog.pg_current_snapshot(),
  pg_catalog.clock_timestamp() + pg_catalog.make_interval(secs => $1::float8 / 1000),
  a.pid, a.backend_start
from pg_catalog.pg_stat_activity a
where a.pid = pg_catalog.pg_backend_pid()
returning id::text, place::text, (select tag from ${SCHEMA}.installation limit 1) as tag,
  ${SCHEMA}.extend_reading($1)
`

/** Tells writers that someone reads for at least $1 more milliseconds. */
export const EXTEND_READING: Sql = sql`select ${SCHEMA}.extend_reading($1)`

/** Tells writers that nobody reads, if so. Needs the install lock, without which nobody may begin. */
export const END_READING: Sql = sql`
select ${SCHEMA}.instruct(0, null, null)
where not exists (select from ${SCHEMA}.consumer)
`

/** Whether a consumer `c` can have missed nothing: writers have captured without a break since it last renewed its lease. */
export const IS_HELD: Sql = sql`
  c.lease_until + pg_catalog.make_interval(secs => ${GRACE_SECONDS}) > pg_catalog.clock_timestamp()`

/** Renews the lease of consumer $1 by $2 milliseconds, if it still holds its place, and stores its place ($3). */
export const RENEW_CONSUMER: Sql = sql`
update ${SCHEMA}.consumer c
set place = $3::pg_snapshot,
  lease_until = pg_catalog.clock_timestamp() + pg_catalog.make_interval(secs => $2::float8 / 1000),
  process_id = a.pid,
  process_started = a.backend_start
from pg_catalog.pg_stat_activity a
where c.id = $1::bigint and a.pid = pg_catalog.pg_backend_pid() and ${IS_HELD}
`

/** Removes the consumer $1. */
export const REMOVE_CONSUMER: Sql = sql`delete from ${SCHEMA}.consumer where id = $1::bigint`

/**
 * Whether a consumer `c` is ephemeral and its connection has ended, or it gave no sign of life for its lease. (Of a
 * process of another role only the number can be seen.)
 */
export const IS_EXPIRED: Sql = sql`c.subscription is null
  and (
    c.lease_until < pg_catalog.clock_timestamp()
    or not exists (
      select
      from pg_catalog.pg_stat_activity a
      where a.pid = c.process_id and (a.backend_start is null or a.backend_start = c.process_started)
    )
  )`

/** Removes the consumers that have expired, except $1. */
export const REMOVE_EXPIRED: Sql = sql`
delete from ${SCHEMA}.consumer c
where c.id <> $1::bigint and ${IS_EXPIRED}
`

/** Whether anybody reads the queue. */
export const COUNT_CONSUMERS: Sql = sql`select pg_catalog.count(*)::int as consumers from ${SCHEMA}.consumer`

/** The consumer $1 wants the table $2. */
export const ADD_WANTED: Sql = sql`
insert into ${SCHEMA}.wanted (consumer, relation) values ($1::bigint, $2::oid) on conflict do nothing
`

/** The consumer $1 no longer wants the tables $2. */
export const REMOVE_WANTED: Sql = sql`
delete from ${SCHEMA}.wanted where consumer = $1::bigint and relation = any ($2::oid[])
`
