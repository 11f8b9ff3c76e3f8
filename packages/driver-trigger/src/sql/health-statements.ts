import { wantsRows } from './filter-statements.ts'
import { changesBehind, IS_ALIVE, keptFor, QUEUE_BYTES } from './limit-statements.ts'
import { SCHEMA, SCHEMA_LITERAL, sql } from './sql.ts'
import type { Sql } from './sql.ts'

/** From here on the session can change nothing, whatever is asked. */
export const READ_ONLY: Sql = sql`set default_transaction_read_only = on`

/** Every schema that holds a queue. */
export const FIND_INSTALLATIONS: Sql = sql`
select n.nspname::text as schema
from pg_catalog.pg_namespace n
where pg_catalog.obj_description(n.oid, 'pg_namespace') like 'rowtap: %'
order by n.nspname
`

/** How much is in the queue, and how old it is. */
export const QUEUE_HEALTH: Sql = sql`
select
  (select coalesce(pg_catalog.sum(q.rows), 0) from (select q.rows from ${SCHEMA}.queue q limit 1000001) q)::text as rows,
  ${QUEUE_BYTES}::text as bytes,
  (
    pg_catalog.pg_snapshot_xmax(pg_catalog.pg_current_snapshot())::text::numeric - oldest.xid::text::numeric
  )::text as ago,
  case when pg_catalog.current_setting('track_commit_timestamp') = 'on' then
    pg_catalog.trunc(extract(epoch from pg_catalog.pg_xact_commit_timestamp(oldest.xid::xid)) * 1000)
  end::text as committed
from (select) as one
left join lateral (select q.xid from ${SCHEMA}.queue q order by q.xid, q.seq limit 1) oldest on true
`

/**
 * How many changes a consumer `c` has acknowledged of those that the queue keeps for it, as far as it is noted where they were
 * divided: those of the looks before the one that its acknowledged position is of, and of that one the transactions before the
 * position's. A position is an era and an ordinal, a transaction's highest number, and how many changes came before in it.
 */
const ACKNOWLEDGED_BEYOND: Sql = sql`(
    select coalesce(pg_catalog.sum(case
      when t.highest = at.highest and not t.earlier then least(t.rows, at.count)
      when t.earlier or t.highest is null or t.highest < at.highest then t.rows
      else 0
    end), 0)
    from (
      select ('x' || pg_catalog.substr(c.acknowledged, 3, 14))::bit(56)::bigint as ordinal,
        ('x' || pg_catalog.substr(c.acknowledged, 18, 16))::bit(64)::bigint as highest,
        ('x' || pg_catalog.substr(c.acknowledged, 35, 16))::bit(64)::bigint as count
    ) at
    join ${SCHEMA}.tick k on k.consumer = c.id and k.ordinal = at.ordinal
    cross join lateral (
      select coalesce((
        select p.snapshot from ${SCHEMA}.tick p where p.consumer = c.id and p.ordinal < k.ordinal order by p.ordinal desc limit 1
      ), c.place)
    ) before (snapshot)
    cross join lateral (
      select pg_catalog.sum(q.rows) as rows, pg_catalog.max(q.seq) filter (where q.root = any (k.roots)) as highest,
        pg_catalog.pg_visible_in_snapshot(q.xid, before.snapshot) as earlier
      from ${keptFor(sql`q.xid, q.seq, q.root, q.rows`, sql`1000001`)} q
      where pg_catalog.pg_visible_in_snapshot(q.xid, k.snapshot)
      group by q.xid
    ) t
  )`

/** Who reads the queue. Of a process of another role only the number can be seen. */
export const CONSUMERS_HEALTH: Sql = sql`
select
  c.id::text, c.subscription, c.process_id as "processId",
  pg_catalog.trunc(extract(epoch from c.created_at) * 1000)::text as created,
  pg_catalog.trunc(extract(epoch from c.lease_until) * 1000)::text as lease,
  coalesce(c.lease_until < pg_catalog.clock_timestamp(), false) as expired,
  ${IS_ALIVE} as alive,
  (select pg_catalog.count(*) from ${SCHEMA}.wanted w where w.consumer = c.id)::int as tables,
  greatest(${changesBehind(sql`1000001`)} - ${ACKNOWLEDGED_BEYOND}, 0)::text as behind,
  pg_catalog.trunc(extract(epoch from c.gone_since) * 1000)::text as gone, c.dropped
from ${SCHEMA}.consumer c
order by c.id
`

/** The tables that somebody wants, which parts of them, each with every partition, and the triggers of ours there. */
export const CAPTURED_HEALTH: Sql = sql`
select
  n.nspname::text as schema, r.relname::text as table,
  w.parts, pn.nspname::text as "partSchema", p.relname::text as "partTable", p.relrowsecurity as secured,
  coalesce(t.triggers, '[]') as triggers
from (
  select w.relation, pg_catalog.jsonb_agg(w.part) as parts, pg_catalog.bool_or(${wantsRows('w')}) as rows
  from ${SCHEMA}.wanted w
  group by w.relation
) w
join pg_catalog.pg_class r on r.oid = w.relation
join pg_catalog.pg_namespace n on n.oid = r.relnamespace
cross join lateral (
  select w.relation union select i.relid::oid from pg_catalog.pg_partition_tree(w.relation) i
) tree (relation)
join pg_catalog.pg_class p on p.oid = tree.relation
join pg_catalog.pg_namespace pn on pn.oid = p.relnamespace
cross join lateral (
  select pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
    -- Of the bits of tgtype, 1 is FOR EACH ROW, 4 INSERT, 8 DELETE, 16 UPDATE and 32 TRUNCATE.
    'name', t.tgname, 'fires', t.tgenabled in ('O', 'A'),
    'captures', case
      when t.tgtype & 32 <> 0 then 'truncate'
      when t.tgtype & 1 <> 0 or f.proname = 'signal' then 'rows'
      when t.tgtype & 4 <> 0 then 'inserts'
      when t.tgtype & 16 <> 0 then 'updates'
      else 'deletes'
    end
  ) order by t.tgname) as triggers
  from pg_catalog.pg_trigger t
  join pg_catalog.pg_proc f on f.oid = t.tgfoid
  join pg_catalog.pg_namespace fn on fn.oid = f.pronamespace
  -- Up to version 14, what is cloned to a partition counts as internal.
  where t.tgrelid = p.oid and (not t.tgisinternal or t.tgparentid <> 0) and fn.nspname = ${SCHEMA_LITERAL}
    and not (f.proname = 'signal' and w.rows)
) t
order by n.nspname, r.relname, p.oid <> r.oid, pn.nspname, p.relname
`

/** Whether a table ($1: schema, $2: name), or a partition of it, has row-level security. */
export const ROW_SECURITY: Sql = sql`
select r.relrowsecurity or exists (
  select from pg_catalog.pg_partition_tree(r.oid) t
  join pg_catalog.pg_class p on p.oid = t.relid
  where p.relrowsecurity
) as secured
from pg_catalog.pg_class r
join pg_catalog.pg_namespace n on n.oid = r.relnamespace
where n.nspname = $1 and r.relname = $2
`

/** The readers of the subscriptions $1, or all (null), that are there, whether their process lives, and which it is. */
export const FIND_READERS: Sql = sql`
select c.id::text, c.subscription, c.process_id as "processId",
  ${IS_ALIVE} as alive
from ${SCHEMA}.consumer c
where $1::text[] is null or c.subscription = any ($1::text[])
order by c.id
`
