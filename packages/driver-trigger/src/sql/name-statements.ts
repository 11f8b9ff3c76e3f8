import { sql } from './sql.ts'
import type { Sql } from './sql.ts'

/**
 * The objects that names ($2) mean, of types ($1: the object id of regproc, regclass, …), as they were printed under the
 * search_path that this session has, too. Those that are gone, of which only the number is left, or that several
 * objects print as, are not returned.
 *
 * For some types PostgreSQL has no lookup that never fails: there, the objects' own names are printed and compared.
 */
export const FIND_NAMED: Sql = sql`
select n.type::text as type, n.name, o.oid::text as oid
from rows from (pg_catalog.unnest($1::int[]), pg_catalog.unnest($2::text[])) as n (type, name)
cross join lateral (
  select pg_catalog.to_regproc(n.name)::oid as oid where n.type = 24 and n.name !~ '^[-0-9]'
  union all
  select pg_catalog.to_regclass(n.name)::oid where n.type = 2205 and n.name !~ '^[-0-9]'
  union all
  select pg_catalog.to_regtype(n.name)::oid where n.type = 2206 and n.name !~ '^[-0-9]'
  union all
  select pg_catalog.max(p.oid) from pg_catalog.pg_proc p
  where n.type = 2202 and pg_catalog.strpos(n.name, pg_catalog.quote_ident(p.proname)) > 0
    and p.oid::regprocedure::text = n.name
  having pg_catalog.count(*) = 1
  union all
  select pg_catalog.max(o.oid) from pg_catalog.pg_operator o
  where n.type = 2203 and pg_catalog.strpos(n.name, o.oprname) > 0 and o.oid::regoper::text = n.name
  having pg_catalog.count(*) = 1
  union all
  select pg_catalog.max(o.oid) from pg_catalog.pg_operator o
  where n.type = 2204 and pg_catalog.strpos(n.name, o.oprname) > 0 and o.oid::regoperator::text = n.name
  having pg_catalog.count(*) = 1
  union all
  select pg_catalog.max(c.oid) from pg_catalog.pg_ts_config c
  where n.type = 3734 and c.oid::regconfig::text = n.name
  having pg_catalog.count(*) = 1
  union all
  select pg_catalog.max(d.oid) from pg_catalog.pg_ts_dict d
  where n.type = 3769 and d.oid::regdictionary::text = n.name
  having pg_catalog.count(*) = 1
  union all
  select pg_catalog.max(c.oid) from pg_catalog.pg_collation c
  where n.type = 4191 and pg_catalog.strpos(n.name, pg_catalog.quote_ident(c.collname)) > 0
    and c.oid::regcollation::text = n.name
  having pg_catalog.count(*) = 1
) o
where o.oid is not null
`

/** Resolves names as a program does, until the transaction ends. */
export const SET_SEARCH_PATH: Sql = sql`select pg_catalog.set_config('search_path', $1, true)`

/**
 * Objects ($2) of types ($1: as above) as this session prints them, in the same order. Runs under a search_path of the
 * program's: whatever this names, it names with its schema, operators and types included.
 */
export const PRINT_NAMES: Sql = sql`
select
  case
    when n.type operator(pg_catalog.=) 24 then n.oid::pg_catalog.regproc::pg_catalog.text
    when n.type operator(pg_catalog.=) 2202 then n.oid::pg_catalog.regprocedure::pg_catalog.text
    when n.type operator(pg_catalog.=) 2203 then n.oid::pg_catalog.regoper::pg_catalog.text
    when n.type operator(pg_catalog.=) 2204 then n.oid::pg_catalog.regoperator::pg_catalog.text
    when n.type operator(pg_catalog.=) 2205 then n.oid::pg_catalog.regclass::pg_catalog.text
    when n.type operator(pg_catalog.=) 2206 then n.oid::pg_catalog.regtype::pg_catalog.text
    when n.type operator(pg_catalog.=) 3734 then n.oid::pg_catalog.regconfig::pg_catalog.text
    when n.type operator(pg_catalog.=) 3769 then n.oid::pg_catalog.regdictionary::pg_catalog.text
    when n.type operator(pg_catalog.=) 4191 then n.oid::pg_catalog.regcollation::pg_catalog.text
  end as name
from rows from (pg_catalog.unnest($1::pg_catalog.int4[]), pg_catalog.unnest($2::pg_catalog.oid[]))
  with ordinality as n (type, oid, position)
order by n.position
`
