import { SCHEMA, sql } from '../sql.ts'
import type { Sql } from '../sql.ts'
import { CATALOG_SETTINGS } from './capture-settings.ts'

/*
 * Under which settings values are printed as they are to be: to look at all that may matter takes a writer about as long as
 * to print a row, and few of them matter for the columns of a table.
 */

const TIME: Sql = sql`
    starts_with(current_setting('DateStyle'), 'ISO')
    and current_setting('TimeZone') in ('UTC', 'Etc/UTC', 'GMT')
    and current_setting('IntervalStyle') = 'postgres'`
const FLOAT: Sql = sql`current_setting('extra_float_digits') in ('1', '2', '3')`
const OTHERS: Sql = sql`
    current_setting('bytea_output') = 'hex'
    and current_setting('quote_all_identifiers') = 'off'
    and current_setting('lc_monetary') = ${SCHEMA}.monetary_locale()`

/** PL/pgSQL: whether the values of any type are printed as they are to be. */
export const PRINTS_ALIKE: Sql = sql`${TIME}
    and ${FLOAT}
    and ${OTHERS}`

/** The same of the values of one table, for use in a query that calls `planned_shape`: what does not matter is left out when the query is planned. */
export const PRINTED_ALIKE: Sql = sql`(${SCHEMA}.planned_settings() & 1 = 0 or ${TIME})
    and (${SCHEMA}.planned_settings() & 2 = 0 or ${FLOAT})
    and (${SCHEMA}.planned_settings() & 4 = 0 or ${OTHERS})`

/** What finds out which they are. */
export const PRINTED_UNDER_FUNCTION: Sql = sql`
-- Which settings decide how a table's columns are printed: 1 for those of times, 2 for that of floating-point numbers, 4 for
-- all others. Any may matter to a type that is not known here, and to a composite one, which can be altered without the table.
create function ${SCHEMA}.printed_under(relation oid) returns int
language sql stable set search_path = pg_catalog, pg_temp
as $rowtap_body$
  with recursive printed (type) as (
    select a.atttypid from pg_attribute a where a.attrelid = relation and a.attnum > 0 and not a.attisdropped
    union
    select coalesce(nullif(t.typbasetype, 0), t.typelem)
    from printed p
    join pg_type t on t.oid = p.type
    where t.typtype = 'd' or t.typoutput = 'array_out'::regproc
  )
  select coalesce(bit_or(
    case
      when t.typtype in ('d', 'e') or t.typoutput = 'array_out'::regproc or t.oid in (
        'bool'::regtype, 'int2'::regtype, 'int4'::regtype, 'int8'::regtype, 'numeric'::regtype, 'oid'::regtype,
        'text'::regtype, 'varchar'::regtype, 'bpchar'::regtype, '"char"'::regtype, 'name'::regtype, 'uuid'::regtype,
        'json'::regtype, 'jsonb'::regtype, 'bit'::regtype, 'varbit'::regtype, 'inet'::regtype, 'cidr'::regtype,
        'macaddr'::regtype, 'tsvector'::regtype
      ) then 0
      when t.oid in (
        'date'::regtype, 'time'::regtype, 'timetz'::regtype, 'timestamp'::regtype, 'timestamptz'::regtype,
        'interval'::regtype
      ) then 1
      when t.oid in ('float4'::regtype, 'float8'::regtype) then 2
      else 7
    end
  ), 0)
  from printed p
  join pg_type t on t.oid = p.type
$rowtap_body$;
`

/** What tells a query of them when it is planned. */
export const PLANNED_SETTINGS_FUNCTION: Sql = sql`
-- The settings that decide how the columns are printed of the table that the setting rowtap.relation holds. It is called
-- immutable for the reason that planned_shape is.
create function ${SCHEMA}.planned_settings() returns int
language plpgsql immutable set search_path = pg_catalog, pg_temp${CATALOG_SETTINGS}
as $rowtap_body$
declare
  planned int := ${SCHEMA}.committed_shape(current_setting('rowtap.relation')::oid);
begin
  return coalesce((select s.settings from ${SCHEMA}.shape s where s.id = planned), 7);
end
$rowtap_body$;
`
