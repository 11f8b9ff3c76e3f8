import { IS_HELD } from './consumer-statements.ts'
import { PACKED_COLUMNS, packRows, WEIGHT } from './packed-rows.ts'
import { SCHEMA, sql } from './sql.ts'
import type { Sql } from './sql.ts'

/**
 * A look at the queue: the snapshot of this statement, whether it sees anything that the snapshot before did not
 * ($1: its xmax, $2: its transactions in progress), and whether the consumer $3 of the process $6 still holds its place.
 * Where there is anything, and where $5 is true in any case, it is noted that the changes are divided here, and which tables
 * ($4) were wanted until now.
 *
 * What it sees of those tables comes with it, packed, where that is no more than $8 rows of the queue, and weighs no more than $9
 * (otherwise `heads` is null). The rows of a transaction are together. $7: whether to tell when it committed.
 */
export const TAKE_TICK: Sql = sql`
with look as materialized (
  select
    pg_catalog.pg_current_snapshot() as snapshot,
    exists (
      select from ${SCHEMA}.queue q
      -- Whatever is visible is below: transactions beyond that have been on another server.
      where q.xid >= $1::xid8 and q.xid < pg_catalog.pg_snapshot_xmax(pg_catalog.pg_current_snapshot())
    )
      or exists (select from ${SCHEMA}.queue q where q.xid = any ($2::xid8[])) as fresh,
    exists (
      select from ${SCHEMA}.consumer c
      where c.id = $3::bigint and c.process_id = $6::int and c.dropped is null and ${IS_HELD}
    ) as held
), noted as (
  insert into ${SCHEMA}.tick (consumer, ordinal, snapshot, roots)
  select
    $3::bigint,
    pg_catalog.pg_snapshot_xmax(l.snapshot)::text::bigint
      - (select pg_catalog.count(*) from pg_catalog.pg_snapshot_xip(l.snapshot)),
    l.snapshot, $4::oid[]
  from look l
  where l.held and (l.fresh or $5::boolean)
  on conflict do nothing
), found as materialized (
  (
    select ${PACKED_COLUMNS}, ${WEIGHT} as weight
    from ${SCHEMA}.queue q
    where (select l.fresh from look l) and q.xid >= $1::xid8
      and q.xid < (select pg_catalog.pg_snapshot_xmax(l.snapshot) from look l) and q.root = any ($4::oid[])
    order by q.xid, q.seq
    limit $8::int + 1
  )
  union all
  (
    select q.*
    from pg_catalog.unnest($2::xid8[]) t (xid)
    cross join lateral (
      select ${PACKED_COLUMNS}, ${WEIGHT} as weight
      from ${SCHEMA}.queue q
      where q.xid = t.xid and q.root = any ($4::oid[])
      order by q.seq
      limit $8::int + 1
    ) q
    where (select l.fresh from look l)
    limit $8::int + 1
  )
)
select l.snapshot::text, l.fresh, l.held, case when exists (select from found) then p.heads else '' end, p.olds, p.news
from look l
cross join (
  select ${packRows(sql`$7::boolean`)}
  from found q
  where (select pg_catalog.count(*) <= $8::int and pg_catalog.sum(f.weight) <= $9::bigint from found f)
) p
`

/**
 * Of transactions that were in progress at a snapshot ($1) those that are visible in another one ($2), that changed one of
 * the tables $3, and whose highest sequence number is above $4. $5: whether to tell when they committed. `changes` counts rows
 * of the queue; `several` tells whether more than one was written by statement triggers.
 */
export const LIST_STRAGGLERS: Sql = sql`
select
  t.xid::text, t.highest::text, t.changes::text, t.late::text, t.several::text,
  case when $5 then pg_catalog.pg_xact_commit_timestamp(t.xid::xid)::text end as commit_time
from (
  select q.xid, pg_catalog.max(q.seq) as highest, pg_catalog.count(*) as changes,
    pg_catalog.bool_or(q.new_place is not null) as late, pg_catalog.count(q.inserted) > 1 as several
  from ${SCHEMA}.queue q
  where q.xid = any ($1::xid8[]) and q.root = any ($3::oid[])
    and pg_catalog.pg_visible_in_snapshot(q.xid, $2::pg_snapshot)
  group by q.xid
  having pg_catalog.max(q.seq) > $4::bigint
) t
order by t.highest
`

/**
 * Divides the transactions from one on ($1) to before another ($2) that are visible in a snapshot ($3), that changed one of
 * the tables $4, and whose highest sequence number is above $5. By their ids, from the last to the first:
 *
 * - each that weighs more than $6 by itself (`large`);
 * - of the others the last one of each part that weighs about $7.
 *
 * `least` is the least of the highest numbers from this transaction on. The rest is as in LIST_STRAGGLERS ($8 is its $5). It goes
 * through the index once, and keeps nothing: there may be as many transactions as there have ever been.
 */
export const LIST_PARTS: Sql = sql`
select
  t.xid::text, t.highest::text, t.changes::text, t.late::text, t.several::text,
  case when $8 then pg_catalog.pg_xact_commit_timestamp(t.xid::xid)::text end as commit_time,
  (t.weight > $6::bigint)::text as large, t.least::text
from (
  select s.*, pg_catalog.min(s.highest) over w as least,
    pg_catalog.sum(case when s.weight > $6::bigint then 0 else s.weight::int end) over w as running
  from (
    select q.xid, pg_catalog.max(q.seq) as highest, pg_catalog.count(*) as changes, pg_catalog.sum(${WEIGHT}) as weight,
      pg_catalog.bool_or(q.new_place is not null) as late, pg_catalog.count(q.inserted) > 1 as several
    from ${SCHEMA}.queue q
    where q.xid >= $1::xid8 and q.xid < $2::xid8 and q.root = any ($4::oid[])
      and pg_catalog.pg_visible_in_snapshot(q.xid, $3::pg_snapshot)
    group by q.xid
    having pg_catalog.max(q.seq) > $5::bigint
    order by q.xid desc
  ) s
  window w as (order by s.xid desc rows unbounded preceding)
) t
where t.weight > $6::bigint or t.running = t.weight
  or t.running / $7::bigint <> (t.running - t.weight) / $7::bigint
order by t.xid desc
`

/**
 * Packed rows of the queue: of transactions from one ($1) to another ($2) that are visible in a snapshot ($3), that
 * changed one of the tables $4, and whose highest sequence number is above $7. (Of others there may be any number among them.)
 * $5: whether to tell when they committed. The last column tells whether the consumer $6 still holds its place.
 */
export const READ_PART: Sql = sql`
select p.heads, p.olds, p.news,
  exists (select from ${SCHEMA}.consumer c where c.id = $6::bigint and c.dropped is null)::text
from (
  select ${packRows(sql`$5::boolean`)}
  from (
    select ${PACKED_COLUMNS}
    from ${SCHEMA}.queue q
    where q.xid >= $1::xid8 and q.xid <= $2::xid8 and q.root = any ($4::oid[])
      and pg_catalog.pg_visible_in_snapshot(q.xid, $3::pg_snapshot)
      and (
        q.seq > $7::bigint
        or (
          select o.seq from ${SCHEMA}.queue o
          where o.xid = q.xid and o.seq > $7::bigint and o.root = any ($4::oid[])
          limit 1
        ) is not null
      )
    order by q.xid, q.seq
  ) q
) p
`
