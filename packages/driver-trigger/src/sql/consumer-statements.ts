import { SCHEMA, sql } from './sql.ts'
import type { Sql } from './sql.ts'

/** Registers an ephemeral consumer with a lease of $1 milliseconds. Its place is now. */
export const REGISTER_CONSUMER: Sql = sql`
insert into ${SCHEMA}.consumer (place, lease_until)
values (
  pg_catalog.pg_current_snapshot(),
  pg_catalog.clock_timestamp() + pg_catalog.make_interval(secs => $1::float8 / 1000)
)
returning id::text, place::text, (select tag from ${SCHEMA}.installation limit 1) as tag
`

/** Renews the lease of consumer $1 by $2 milliseconds, and stores its place ($3). */
export const RENEW_CONSUMER: Sql = sql`
update ${SCHEMA}.consumer
set place = $3::pg_snapshot,
  lease_until = pg_catalog.clock_timestamp() + pg_catalog.make_interval(secs => $2::float8 / 1000)
where id = $1::bigint
`

/** Removes the consumer $1. */
export const REMOVE_CONSUMER: Sql = sql`delete from ${SCHEMA}.consumer where id = $1::bigint`

/** Removes the ephemeral consumers that gave no sign of life for their lease, except $1. */
export const REMOVE_EXPIRED: Sql = sql`
delete from ${SCHEMA}.consumer
where lease_until < pg_catalog.clock_timestamp() and id <> $1::bigint
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
