import { MOST_NOTIFICATIONS } from './migration-0001/enqueue.ts'
import { CLEAN_LOCK, SCHEMA, SCHEMA_LITERAL, sql, STATE_LITERAL, tableLiteral } from './sql.ts'
import type { Sql } from './sql.ts'

/**
 * Rows of the queue of the transactions $1, each from above a sequence number ($2), of the tables $3: at most $4 of them,
 * and no more than fit in $5 bytes, but at least one: after the number of their transaction among those. The last column tells
 * whether the consumer $6 still holds its place.
 */
export const READ_CHANGES: Sql = sql`
select c.transaction::text, c.seq::text, c.root::text, c.shape::text, c.operation::text, c.rows::text, c.old, c.new,
  exists (select from ${SCHEMA}.consumer c where c.id = $6 and c.dropped is null)::text
from (
  select *, pg_catalog.sum(c.bytes) over (order by c.transaction, c.seq rows unbounded preceding) - c.bytes as before
  from (
    select t.transaction, q.*,
      coalesce(pg_catalog.octet_length(q.old), 0) + coalesce(pg_catalog.octet_length(q.new), 0) as bytes
    from rows from (pg_catalog.unnest($1::xid8[]), pg_catalog.unnest($2::bigint[])) with ordinality
      as t (xid, above, transaction)
    cross join lateral (
      select q.seq, q.root, q.shape, q.operation, q.rows, q.old, q.new
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
 * Of the transactions $1 those in which a statement that wrote to one of the tables $2 wrote a row before another one that
 * ended earlier: fewer rows than it wrote were written since then.
 */
export const FIND_NESTED: Sql = sql`
select distinct s.xid::text
from (
  select q.xid, q.first,
    pg_catalog.max(q.first + q.rows) over (
      partition by q.xid, q.root, q.operation, q.inserted, q.updated, q.deleted
    ) as rows,
    case q.operation
      when 'I' then q.inserted - pg_catalog.lag(q.inserted) over ended
      when 'U' then q.updated - pg_catalog.lag(q.updated) over ended
      else q.deleted - pg_catalog.lag(q.deleted) over ended
    end as since
  from pg_catalog.unnest($1::xid8[]) t (xid)
  join ${SCHEMA}.queue q on q.xid = t.xid
  where q.root = any ($2::oid[]) and q.inserted is not null
  window ended as (partition by q.xid, q.root order by q.seq)
) s
where s.first = 0 and s.since < s.rows
`

/**
 * What a transaction ($1) wrote to the tables $2, without the rows, from its end: what has a number below $3 (null: all), $4
 * rows of the queue at most; of signals only, or of what is none ($5: true, false; null: both).
 */
export const READ_HEADERS: Sql = sql`
select q.seq::text, q.root::text, q.operation::text, q.rows::text, q.first::text, q.level::text,
  q.inserted::text, q.updated::text, q.deleted::text,
  (coalesce(pg_catalog.octet_length(q.old), 0) + coalesce(pg_catalog.octet_length(q.new), 0))::text
from ${SCHEMA}.queue q
where q.xid = $1::xid8 and q.root = any ($2::oid[]) and q.seq < coalesce($3::bigint, 9223372036854775807)
  and ($5::boolean is null or (q.operation in ('i', 'u', 'd')) = $5::boolean)
order by q.seq desc
limit $4
`

/**
 * Rows of the queue of one transaction ($1) by their numbers ($2), as those of `READ_CHANGES`. The last column tells
 * whether the consumer $3 still holds its place.
 */
export const READ_NUMBERED: Sql = sql`
select q.seq::text, q.root::text, q.shape::text, q.operation::text, q.rows::text, q.old, q.new,
  exists (select from ${SCHEMA}.consumer c where c.id = $3 and c.dropped is null)::text
from ${SCHEMA}.queue q
where q.xid = $1::xid8 and q.seq = any ($2::bigint[])
order by q.seq
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
select m.before::text, q.seq::text, q.root::text, q.shape::text, q.operation::text, q.rows::text, q.old, q.new
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

/** Forgets the columns that transactions met of which everything is handled that they wrote: they are visible in a place ($1). */
export const FORGET_UNSETTLED: Sql = sql`
delete from ${SCHEMA}.unsettled u where u.xid < pg_catalog.pg_snapshot_xmin($1::pg_snapshot)
`

/** Records the present state of a table's columns for writers to refer to. */
export const SETTLE_SHAPE: Sql = sql`select ${SCHEMA}.settle_shape($1::oid)`

/** From now on writers wake whoever sleeps. */
export const FALL_ASLEEP: Sql = sql`select ${SCHEMA}.instruct(null, null, true)`

/**
 * From now on writers wake nobody. Wakes every reader, this one included: those that go on sleeping have to say so
 * again. (Where notifications of others pile up it wakes nobody, and readers look at their intervals.)
 */
export const AWAKE: Sql = sql`
select ${SCHEMA}.instruct(null, null, false),
  case when pg_catalog.pg_notification_queue_usage() < ${() => String(MOST_NOTIFICATIONS)}
    then pg_catalog.pg_notify(${SCHEMA_LITERAL}, '')
  end
`

/** Asks to be woken by writers. */
export const LISTEN: Sql = sql`listen ${SCHEMA}`

/** The earliest place among all consumers. What is visible there is wanted by nobody any more. */
export const EARLIEST_PLACE: Sql = sql`
select c.place::text as place
from ${SCHEMA}.consumer c
where c.dropped is null
order by pg_catalog.pg_snapshot_xmax(c.place)::text::numeric
  - (select pg_catalog.count(*) from pg_catalog.pg_snapshot_xip(c.place))
limit 1
`

/** Whether no one else removes handled changes at this moment. Held until the transaction ends. */
export const TRY_CLEAN_LOCK: Sql = sql`select pg_catalog.pg_try_advisory_xact_lock(${CLEAN_LOCK}) as got`

/**
 * Which table of the queue writers fill, and how large each is, in bytes; whether columns are kept for the changes of
 * transactions that met others than were recorded.
 */
export const QUEUE_SIZES: Sql = sql`
select
  ((coalesce(pg_catalog.pg_sequence_last_value(${STATE_LITERAL}::regclass), 0) >> 1) & 3)::int + 1 as filled,
  pg_catalog.pg_total_relation_size(${tableLiteral(1)}::regclass)::text as size_1,
  pg_catalog.pg_total_relation_size(${tableLiteral(2)}::regclass)::text as size_2,
  pg_catalog.pg_total_relation_size(${tableLiteral(3)}::regclass)::text as size_3,
  exists (select from ${SCHEMA}.unsettled) as unsettled
`

/** Has writers fill the table with the number $1. */
export const FILL_TABLE: Sql = sql`select ${SCHEMA}.instruct(null, $1::int - 1, null)`

/** What concerns one of the queue's tables. */
export interface QueueTableStatements {
  /** Whether it is empty. */
  readonly isEmpty: Sql
  /** Whether anybody else holds a lock on it that a TRUNCATE would have to wait for long for: a writer, or a backup. */
  readonly isInUse: Sql
  /** Locks everybody out, until the transaction ends. */
  readonly lock: Sql
  /**
   * Whether it holds anything that is not visible in a place ($1: its xmax, $2: the transactions that are not). Of transactions that
   * there have not been on this server nothing is needed.
   */
  readonly isNeeded: Sql
  readonly truncate: Sql
}

/** The three tables of the queue, the first of which has the number 1. */
export const QUEUE_TABLES: readonly QueueTableStatements[] = ([1, 2, 3] as const).map((number) => {
  const table: Sql = sql`${SCHEMA}.queue_${() => String(number)}`
  return {
    isEmpty: sql`select not exists (select from ${table}) as is`,
    isInUse: sql`
select exists (
  select from pg_catalog.pg_locks l
  where l.locktype = 'relation' and l.relation = ${tableLiteral(number)}::regclass and l.granted
    and l.pid is distinct from pg_catalog.pg_backend_pid() and l.mode <> 'AccessShareLock'
    and l.database = (select d.oid from pg_catalog.pg_database d where d.datname = pg_catalog.current_database())
) as is
`,
    lock: sql`lock table ${table} in access exclusive mode`,
    isNeeded: sql`
select exists (
    select from ${table} q
    where q.xid >= $1::xid8 and q.xid < pg_catalog.pg_snapshot_xmax(pg_catalog.pg_current_snapshot())
  )
  or exists (select from ${table} q where q.xid = any ($2::xid8[])) as is
`,
    truncate: sql`truncate ${table}`,
  }
})
