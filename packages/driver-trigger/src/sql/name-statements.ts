import { sql } from './sql.ts'
import type { Sql } from './sql.ts'

/** Resolves names as a program does, until the transaction ends. */
export const SET_SEARCH_PATH: Sql = sql`select pg_catalog.set_config('search_path', $1, true)`

/**
 * Names of objects ($2) of types ($1: the object id of regproc, regclass or regtype) as this session prints them.
 * Those of objects that are gone, or of which only the number is left, are not returned.
 */
export const SHORTEN_NAMES: Sql = sql`
select n.type::text as type, n.name, n.short
from (
  select n.type, n.name,
    case n.type
      when 24 then pg_catalog.to_regproc(n.name)::text
      when 2205 then pg_catalog.to_regclass(n.name)::text
      when 2206 then pg_catalog.to_regtype(n.name)::text
    end as short
  from rows from (pg_catalog.unnest($1::int[]), pg_catalog.unnest($2::text[])) as n (type, name)
  where n.name operator(pg_catalog.!~) '^[-0-9]'
) n
where n.short is not null
`
