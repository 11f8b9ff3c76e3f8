import { IS_HELD } from './consumer-statements.ts'
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
  exists (select from ${SCHEMA}.consumer c where c.id = $3 and ${IS_HELD}) as held
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
  t.xid::text, t.highest::text, t.changes::text, t.late,
  case when $8 then pg_catalog.pg_xact_commit_timestamp(t.xid::xid)::text end as commit_time
from (
  select q.xid, pg_catalog.max(q.seq) as highest, pg_catalog.count(*) as changes, pg_catalog.bool_or(q.late) as late
  from (
    select q.xid, q.seq, q.new_place is not null as late from ${SCHEMA}.queue q
    where q.xid >= $1::xid8 and q.xid < $3::xid8 and q.root = any ($5::oid[])
    union all
    select q.xid, q.seq, q.new_place is not null from ${SCHEMA}.queue q
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

/**
 * Of the changes of transactions ($1), each from one sequence number ($2) to another ($3), those that follow a change
 * with a higher number: the other change, and what that one follows in turn, with the number of the first one (before)
 * and how far back it is (step). Places begin anew where a table was emptied: nothing follows a change from beyond that.
 */
export const READ_MOVED: Sql = sql`
with recursive moved (before, step, xid, file, root, seq, old_place) as (
  select q.seq, 0, q.xid, q.file, q.root, q.seq, q.old_place
  from rows from (pg_catalog.unnest($1::xid8[]), pg_catalog.unnest($2::bigint[]), pg_catalog.unnest($3::bigint[]))
    as t (xid, first, last)
  join ${SCHEMA}.queue q on q.xid = t.xid and q.seq between t.first and t.last
  where q.old_place is not null
  union all
  select m.before, m.step + 1, q.xid, q.file, q.root, q.seq, q.old_place
  from moved m
  join ${SCHEMA}.queue q on q.xid = m.xid and q.new_place is not null and q.new_place = m.old_place
    and q.file = m.file and q.root = m.root and q.seq > m.before
  where not exists (
    select from ${SCHEMA}.queue t
    where t.xid = m.xid and t.new_place is not null and t.new_place = '(0,0)' and t.root = m.root
      and t.seq between m.before and q.seq
  )
)
select m.before::text, q.seq::text, q.root::text, q.shape::text, q.operation::text, q.old, q.new
from moved m
join ${SCHEMA}.queue q on q.xid = m.xid and q.seq = m.seq
where m.step > 0
order by m.before, m.step desc
`

/** Shapes by id ($1). */
export const READ_SHAPES: Sql = sql`
select s.id, s.relation::text, s.root::text, true as settled, s.content
from ${SCHEMA}.shape s
where s.id = any ($1::int[])
union all
select s.id, s.relation::text, s.root::text, false, s.content
from ${SCHEMA}.unsettled s
where s.id = any ($1::int[])
`

/** Records the present state of a table's columns for writers to refer to. */
export const SETTLE_SHAPE: Sql = sql`select ${SCHEMA}.settle_shape($1::oid)`

/** From now on writers wake whoever sleeps. */
export const FALL_ASLEEP: Sql = sql`select pg_catalog.setval(${SLEEP_LITERAL}::regclass, 2)`

/**
 * From now on writers wake nobody. Wakes every reader, this one included: those that go on sleeping have to say so
 * again.
 */
export const AWAKE: Sql = sql`
select pg_catalog.setval(${SLEEP_LITERAL}::regclass, 1), pg_catalog.pg_notify(${SCHEMA_LITERAL}, '')
`

/** Asks to be woken by writers. */
export const LISTEN: Sql = sql`listen ${SCHEMA}`

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
