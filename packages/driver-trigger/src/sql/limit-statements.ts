import { SCHEMA, SCHEMA_NAME_LITERAL, sql } from './sql.ts'
import type { Sql } from './sql.ts'

/**
 * Whether the process of a consumer `c` is there; of one behind a pooler, whether it gave a sign of life. (Of a process of
 * another role only the number can be seen, and of one's own, where a login acts as another role.)
 */
export const IS_ALIVE: Sql = sql`(
    exists (
      select from pg_catalog.pg_stat_activity a
      where a.pid = c.process_id and (a.backend_start = c.process_started) is not false
    )
    or c.process_id = 0 and c.lease_until > pg_catalog.clock_timestamp()
  )`

/**
 * How many changes the queue keeps for a consumer `c`: those since its place, which it moves when it has handled a whole look at
 * the queue. Those beyond a number of rows of the queue are not counted.
 */
export function changesBehind(most: Sql): Sql {
  return sql`(select coalesce(pg_catalog.sum(q.rows), 0) from ${keptFor(sql`q.rows`, most)} q)`
}

/** The rows of the queue that it keeps for a consumer `c`, no more than a number of them. */
export function keptFor(columns: Sql, most: Sql): Sql {
  return sql`(
      select ${columns} from ${SCHEMA}.queue q
      where q.xid >= pg_catalog.pg_snapshot_xmax(c.place)
        or q.xid = any (array(select pg_catalog.pg_snapshot_xip(c.place)))
      limit ${most}
    )`
}

/** How large the queue's tables are. */
export const QUEUE_BYTES: Sql = sql`(
    select pg_catalog.sum(pg_catalog.pg_total_relation_size(r.oid)) from pg_catalog.pg_class r
    where r.relname in ('queue_1', 'queue_2', 'queue_3', 'unsettled') and r.relnamespace = ${SCHEMA_NAME_LITERAL}::pg_catalog.regnamespace
  )`

/** Notes of subscriptions that nobody reads since when that is so, as far as anybody has looked. */
export const NOTE_GONE: Sql = sql`
update ${SCHEMA}.consumer c
set gone_since = pg_catalog.clock_timestamp()
where c.subscription is not null and c.gone_since is null and c.dropped is null and not ${IS_ALIVE}
`

/**
 * Whom the queue keeps changes for: since when nobody is there to read them, as far as anybody has looked, how much of the queue
 * waits for it ($1: how many rows of it to count), and where its place is.
 */
export const FIND_HOLDERS: Sql = sql`
select c.id::text, c.subscription, ${IS_ALIVE} as alive,
  pg_catalog.trunc(extract(epoch from pg_catalog.clock_timestamp() - c.gone_since) * 1000)::text as "goneMs",
  ${changesBehind(sql`$1::bigint`)}::text as changes,
  ${QUEUE_BYTES}::text as bytes,
  c.place::text
from ${SCHEMA}.consumer c
where c.dropped is null
order by c.id
`

/** How many changes wait for the consumer $1, as far as they are counted. */
export const COUNT_BEHIND: Sql = sql`
select ${changesBehind(sql`1000000`)}::text as changes from ${SCHEMA}.consumer c where c.id = $1::bigint
`

/**
 * Lets go of the changes of the consumer $1, and notes why ($2), if nobody has come to read it; or, where it is read ($3: its
 * place), if it has not come further.
 */
export const DROP_CONSUMER: Sql = sql`
update ${SCHEMA}.consumer c
set dropped = $2
where c.id = $1::bigint and c.dropped is null
  and (c.place::text = $3::text or $3::text is null and c.gone_since is not null and not ${IS_ALIVE})
`

/** Why the changes of the consumer $1 were let go of; null where they were not. */
export const FIND_DROPPED: Sql = sql`select c.dropped from ${SCHEMA}.consumer c where c.id = $1::bigint`

/** Forgets what the consumer $1 wanted, and where it divided the changes. */
export const FORGET_WANTED: Sql = sql`
with ticks as (delete from ${SCHEMA}.tick t where t.consumer = $1::bigint)
delete from ${SCHEMA}.wanted w where w.consumer = $1::bigint
`

/** The names of the tables that the consumer $1 wants. */
export const WANTED_NAMES: Sql = sql`
select n.nspname::text as schema, r.relname::text as name
from ${SCHEMA}.wanted w
join pg_catalog.pg_class r on r.oid = w.relation
join pg_catalog.pg_namespace n on n.oid = r.relnamespace
where w.consumer = $1::bigint
order by n.nspname, r.relname
`
