import { CLEAN_LOCK, SCHEMA, SCHEMA_LITERAL, SLEEP_LITERAL, sql } from './sql.ts'
import type { Sql } from './sql.ts'

/**
 * A look at the queue: the snapshot of this statement, whether it sees anything that the snapshot before did not
 * ($1: its xmax, $2: its transactions in progress), and whether the consumer $3 still holds its place.
 */
export const TAKE_TICK: Sql = sql`
select
  pg_catalog.pg_current_snapshot()::text as snapshot,
  exists (select from ${SCHEMA}.queue q where q.xid >= $1::xid8)
    or exists (select from ${SCHEMA}.queue q where q.xid = any ($2::xid8[])) as fresh,
  exists (select from ${SCHEMA}.consumer c where c.id = $3) as held
`

/**
 * The transactions that became visible from one snapshot ($1, $2: as above) to another ($3: its xmax, $4: itself) and
 * that changed one of the tables $5, by their highest sequence number above $6; at most $7 of them.
 *
 * If two transactions touched one row, the later one waited for the earlier one to end: all that the earlier one
 * wrote has lower numbers than what the later one wrote after that. So this order keeps the order of each row.
 */
export const LIST_TRANSACTIONS: Sql = sql`
select
  t.xid::text, t.highest::text, t.changes::text,
  case when $8 then pg_catalog.pg_xact_commit_timestamp(t.xid::xid)::text end as commit_time
from (
  select q.xid, pg_catalog.max(q.seq) as highest, pg_catalog.count(*) as changes
  from (
    select q.xid, q.seq from ${SCHEMA}.queue q
    where q.xid >= $1::xid8 and q.xid < $3::xid8 and q.root = any ($5::oid[])
    union all
    select q.xid, q.seq from ${SCHEMA}.queue q
    where q.xid = any ($2::xid8[]) and q.root = any ($5::oid[])
  ) q
  where pg_catalog.pg_visible_in_snapshot(q.xid, $4::pg_snapshot)
  group by q.xid
  having pg_catalog.max(q.seq) > $6::bigint
  order by 2
  limit $7
) t
order by t.highest
`

/**
 * Changes of the transactions $1, each from above a sequence number ($2), of the tables $3: at most $4 of them, and
 * no more than fit in $5 bytes, but at least one. The last column tells whether the consumer $6 still holds its place.
 */
export const READ_CHANGES: Sql = sql`
select c.transaction::text, c.seq::text, c.root::text, c.shape::text, c.operation::text, c.old, c.new,
  exists (select from ${SCHEMA}.consumer c where c.id = $6)::text
from (
  select *, pg_catalog.sum(c.bytes) over (order by c.transaction, c.seq rows unbounded preceding) - c.bytes as before
  from (
    select t.transaction, q.*,
      coalesce(pg_catalog.octet_length(q.old), 0) + coalesce(pg_catalog.octet_length(q.new), 0) as bytes
    from rows from (pg_catalog.unnest($1::xid8[]), pg_catalog.unnest($2::bigint[])) with ordinality
      as t (xid, above, transaction)
    cross join lateral (
      select q.seq, q.root, q.shape, q.operation, q.old, q.new
      from ${SCHEMA}.queue q
      where q.xid = t.xid and q.seq > t.above and q.root = any ($3::oid[])
      order by q.seq
      limit $4
    ) q
    order by t.transaction, q.seq
    limit $4
  ) c
) c
where c.before < $5
order by c.transaction, c.seq
`

/** Shapes by id ($1). */
export const READ_SHAPES: Sql = sql`
select s.id, s.relation::text, s.root::text, s.owner is null as settled, s.content
from ${SCHEMA}.shape s
where s.id = any ($1::int[])
`

/** Records the present state of a table's columns for writers to refer to. */
export const SETTLE_SHAPE: Sql = sql`select ${SCHEMA}.settle_shape($1::oid)`

/** Tells writers whether a reader sleeps (2) or not (1). */
export const SET_SLEEP: Sql = sql`select pg_catalog.setval(${SLEEP_LITERAL}::regclass, $1)`

/** Asks to be woken by writers. */
export const LISTEN: Sql = sql`listen ${SCHEMA}`

/** Wakes every reader, this one included. */
export const NOTIFY_SELF: Sql = sql`select pg_catalog.pg_notify(${SCHEMA_LITERAL}, '')`

/** The earliest place among all consumers. What is visible there is wanted by nobody any more. */
export const EARLIEST_PLACE: Sql = sql`
select pg_catalog.pg_snapshot_xmax(c.place)::text as xmax, c.place::text as place
from ${SCHEMA}.consumer c
order by pg_catalog.pg_snapshot_xmax(c.place)::text::numeric
  - (select pg_catalog.count(*) from pg_catalog.pg_snapshot_xip(c.place))
limit 1
`

/** Whether no one else removes handled changes at this moment. Held until the transaction ends. */
export const TRY_CLEAN_LOCK: Sql = sql`select pg_catalog.pg_try_advisory_xact_lock(${CLEAN_LOCK}) as got`

/** Removes at most $3 changes that are visible in a place ($1: its xmax, $2: itself). */
export const DELETE_HANDLED: Sql = sql`
delete from ${SCHEMA}.queue
where ctid = any (array(
  select q.ctid
  from ${SCHEMA}.queue q
  where q.xid < $1::xid8 and pg_catalog.pg_visible_in_snapshot(q.xid, $2::pg_snapshot)
  order by q.xid, q.seq
  limit $3
))
`
