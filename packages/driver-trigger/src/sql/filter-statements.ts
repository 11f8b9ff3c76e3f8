import { SHAPE_CONTENT } from './shape-content.ts'
import { SCHEMA, SCHEMA_LITERAL, sql } from './sql.ts'
import type { Sql } from './sql.ts'

/** Whether what is wanted of a table, by a row of `wanted` under an alias, has rows. */
export const wantsRows = (alias: string): Sql => sql`coalesce((${() => alias}.part ->> 'rows')::boolean, true)`

/** Which part of the table $2 other consumers than $1 want; null: all of it. */
export const FIND_PARTS: Sql = sql`
select w.part from ${SCHEMA}.wanted w where w.relation = $2::oid and w.consumer::text <> $1::text
`

/**
 * For each table that the consumer $1 wants, a text that is another one when somebody wants another part of it, or when its shape
 * is another one; null: its shape is not recorded.
 */
export const FIND_PART_VERSIONS: Sql = sql`
select w.relation::text as oid,
  pg_catalog.md5(${SCHEMA}.settled_shape(w.relation)::text || (
    select pg_catalog.string_agg(coalesce(o.part::text, ''), ' ' order by o.consumer)
    from ${SCHEMA}.wanted o
    where o.relation = w.relation
  )) as version
from ${SCHEMA}.wanted w
where w.consumer = $1::bigint
`

/** The present shape of the table $1, as it is recorded, and its number. */
export const FIND_SHAPE: Sql = sql`
select s.id::text as shape, s.content from ${SCHEMA}.shape s where s.id = (select ${SCHEMA}.settled_shape($1::oid))
`

/** The present shape of the table $1, recorded or not. */
export const FIND_CONTENT: Sql = sql`select ${SHAPE_CONTENT} as content from pg_catalog.pg_class r where r.oid = $1::oid`

/**
 * The number of the shape of rows of the table $1 that have but some of its columns ($2), recorded where it is not known. No
 * state of a table has no versions, so that nobody takes it for that of whole rows. Needs the install lock.
 */
export const NARROW_SHAPE: Sql = sql`
with known as (
  select s.id from ${SCHEMA}.shape s
  where s.relation = $1::oid and s.root = $1::oid and s.versions = '{}' and s.content = $2::jsonb
  order by s.id
  limit 1
), made as (
  insert into ${SCHEMA}.shape (relation, root, versions, content)
  select $1::oid, $1::oid, '{}', $2::jsonb where not exists (select from known)
  returning id
)
select n.id::text as shape from (select id from known union all select id from made) n
`

/** The function of the name $1 that captures the statements of a table, and whether triggers of the table $2 call another one. */
export const FIND_CAPTURE_FUNCTION: Sql = sql`
select
  (
    select p.prosrc from pg_catalog.pg_proc p
    join pg_catalog.pg_namespace n on n.oid = p.pronamespace
    where n.nspname = ${SCHEMA_LITERAL} and p.proname = $1
  ) as source,
  exists (
    select from pg_catalog.pg_trigger t
    join pg_catalog.pg_proc p on p.oid = t.tgfoid
    join pg_catalog.pg_namespace n on n.oid = p.pronamespace
    where t.tgrelid = $2::oid and n.nspname = ${SCHEMA_LITERAL} and p.proname = 'capture_statement'
  ) as triggered
`

/** The transactions that may still write to the table $1 with what captured it until now. */
export const FIND_WRITERS: Sql = sql`
select distinct l.virtualtransaction as transaction, l.pid
from pg_catalog.pg_locks l
where l.locktype = 'relation' and l.granted and l.pid is distinct from pg_catalog.pg_backend_pid()
  and l.database = (select d.oid from pg_catalog.pg_database d where d.datname = pg_catalog.current_database())
  and l.relation = $1::oid and l.mode not in ('AccessShareLock', 'RowShareLock')
`

/** Removes the functions that capture one table each, with their triggers. */
export const DROP_TABLE_FUNCTIONS: Sql = sql`
do $rowtap_body$
declare
  function pg_catalog.regprocedure;
begin
  for function in
    select p.oid from pg_catalog.pg_proc p
    join pg_catalog.pg_namespace n on n.oid = p.pronamespace
    where n.nspname = ${SCHEMA_LITERAL} and p.proname like 'capture %' and p.pronargs = 0
  loop
    execute pg_catalog.format('drop function %s cascade', function);
  end loop;
end
$rowtap_body$`
