import { SHAPE_CONTENT } from '../sql/shape-content.ts'
import { SCHEMA, sql } from '../sql/sql.ts'
import type { Sql } from '../sql/sql.ts'

/**
 * A table by its object id ($1) as it is now: how it is called, its shape, whether the role may read it and whether
 * row-level security would leave rows out, and about how many rows it has (NULL where somebody has never counted); and
 * the snapshot that shows all this.
 */
export const READ_TABLE: Sql = sql`
select
  r.oid::text as oid, n.nspname::text as schema, r.relname::text as name, r.relkind = 'p' as "isPartitioned",
  pg_catalog.pg_has_role(r.relowner, 'USAGE') as "isOwned", current_user::text as role,
  pg_catalog.has_table_privilege(r.oid, 'SELECT') as "mayRead",
  pg_catalog.row_security_active(r.oid) as "isFiltered",
  (
    select case when pg_catalog.bool_and(c.reltuples >= 0) then pg_catalog.round(pg_catalog.sum(c.reltuples::numeric))::text end
    from pg_catalog.pg_class c
    where c.oid = r.oid and r.relkind = 'r'
      or c.oid in (select t.relid from pg_catalog.pg_partition_tree(r.oid) t where t.isleaf and r.relkind = 'p')
  ) as estimate,
  ${SHAPE_CONTENT} as content,
  pg_catalog.pg_current_snapshot()::text as state
from pg_catalog.pg_class r
join pg_catalog.pg_namespace n on n.oid = r.relnamespace
where r.oid = $1::oid
`

/**
 * The index that a table ($1: object id) can be read by: unique, checked at once, without NULL, in the default order of
 * its columns' types and collations, so that it sorts as ORDER BY does. $2: the names of its columns in any order; NULL
 * for the primary key.
 */
export const KEY_INDEX: Sql = sql`
select pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
    'name', a.attname,
    'operatorSchema', o.nspname,
    'less', o.less,
    'notGreater', o.not_greater,
    'equal', o.equal,
    'greater', o.greater,
    'collationSchema', cn.nspname,
    'collation', c.collname
  ) order by part.ordinal) as columns
from pg_catalog.pg_index i
cross join lateral rows from (
  pg_catalog.unnest(i.indkey::pg_catalog.int2[]), pg_catalog.unnest(i.indclass::pg_catalog.oid[]),
  pg_catalog.unnest(i.indcollation::pg_catalog.oid[]), pg_catalog.unnest(i.indoption::pg_catalog.int2[])
) with ordinality part (attnum, class, sorted_by, sorting, ordinal)
join pg_catalog.pg_attribute a on a.attrelid = i.indrelid and a.attnum = part.attnum
join pg_catalog.pg_opclass opc on opc.oid = part.class
left join pg_catalog.pg_collation c on c.oid = a.attcollation
left join pg_catalog.pg_namespace cn on cn.oid = c.collnamespace
cross join lateral (
  select
    pg_catalog.min(n.nspname) as nspname,
    pg_catalog.min(op.oprname) filter (where am.amopstrategy = 1) as less,
    pg_catalog.min(op.oprname) filter (where am.amopstrategy = 2) as not_greater,
    pg_catalog.min(op.oprname) filter (where am.amopstrategy = 3) as equal,
    pg_catalog.min(op.oprname) filter (where am.amopstrategy = 5) as greater
  from pg_catalog.pg_amop am
  join pg_catalog.pg_operator op on op.oid = am.amopopr
  join pg_catalog.pg_namespace n on n.oid = op.oprnamespace
  where am.amopfamily = opc.opcfamily
    and am.amoplefttype = opc.opcintype
    and am.amoprighttype = opc.opcintype
    and am.amoppurpose = 's'
) o
where i.indrelid = $1::oid
  and part.ordinal <= i.indnkeyatts
  and i.indisunique and i.indimmediate and i.indisvalid
  and i.indpred is null and i.indexprs is null
  and ($2::text[] is not null or i.indisprimary)
group by i.indexrelid, i.indisprimary
having pg_catalog.bool_and(
    a.attnotnull and opc.opcdefault and part.sorting = 0 and part.sorted_by = a.attcollation and o.nspname is not null
  )
  and ($2::text[] is null or pg_catalog.array_agg(a.attname::text order by a.attname::text) =
    (select pg_catalog.array_agg(wanted.name order by wanted.name) from pg_catalog.unnest($2::text[]) wanted (name)))
order by i.indisprimary desc, i.indexrelid
limit 1
`

/**
 * Begins a piece: nothing changes, no row is left out unseen, and others that wait for the table do not queue behind this
 * for long. The snapshot is taken by the first statement that reads, which comes after the table is locked: what empties
 * the table is in it, or comes after it.
 */
export const BEGIN_PIECE: Sql = sql`
set transaction isolation level repeatable read, read only;
set local row_security = off;
set local lock_timeout = '200ms'`

/** The server processes that keep a table ($1), or one of its partitions, to themselves. */
export const FIND_LOCKERS: Sql = sql`
select distinct l.pid
from pg_catalog.pg_locks l
where l.locktype = 'relation' and l.granted and l.pid <> pg_catalog.pg_backend_pid()
  and l.database = (select d.oid from pg_catalog.pg_database d where d.datname = pg_catalog.current_database())
  and l.mode = 'AccessExclusiveLock'
  and l.relation in (select $1::oid union select t.relid from pg_catalog.pg_partition_tree($1::oid) t)
order by l.pid
`

/** Some rows more of what `declarePiece` declares. */
export function fetchRows(count: number): Sql {
  const text = `FETCH FORWARD ${Math.trunc(count)} FROM rowtap_piece`
  return { text: () => text }
}

/** Keeps with the consumer $1 how far its snapshots are ($2). */
export const SAVE_PROGRESS: Sql = sql`
update ${SCHEMA}.consumer set progress = $2 where id = $1::bigint
`

/** What is kept with the consumer $1. */
export const READ_PROGRESS: Sql = sql`
select c.progress as text from ${SCHEMA}.consumer c where c.id = $1::bigint
`
