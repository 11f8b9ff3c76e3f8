import { SCHEMA, SCHEMA_LITERAL, sql } from './sql.ts'
import type { Sql } from './sql.ts'

/** Which rows of the table $2 other consumers than $1 want, if any. */
export const FIND_CONDITIONS: Sql = sql`
select w.conditions, w.rows from ${SCHEMA}.wanted w where w.relation = $2::oid and w.consumer::text <> $1::text
`

/** The number of the present shape of the table $1. */
export const FIND_SHAPE: Sql = sql`select ${SCHEMA}.settled_shape($1::oid)::text as shape`

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
