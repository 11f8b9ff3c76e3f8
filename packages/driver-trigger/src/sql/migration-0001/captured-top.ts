import { SCHEMA, SCHEMA_NAME_LITERAL, sql } from '../sql.ts'
import type { Sql } from '../sql.ts'
import { CATALOG_SETTINGS } from './capture-settings.ts'

/** What finds out for which table a partition's rows are captured. */
export const CAPTURED_TOP_FUNCTION: Sql = sql`
-- The table for which a partition's rows are captured: the highest above it that has triggers of ours, which it handed down;
-- or itself. (The name of such a trigger ends with the number of the table that it was created on.)
create function ${SCHEMA}.captured_top(relation oid) returns oid
language plpgsql volatile set search_path = pg_catalog, pg_temp${CATALOG_SETTINGS}
as $rowtap_body$
#variable_conflict use_variable
begin
  return coalesce(
    (
      select a.relid
      from pg_partition_ancestors(relation) with ordinality a (relid, step)
      where a.relid::oid::text in (
        select substring(t.tgname from ' ([0-9]+)$')
        from pg_trigger t
        join pg_proc f on f.oid = t.tgfoid
        where t.tgrelid = relation and t.tgparentid <> 0
          and f.pronamespace = ${SCHEMA_NAME_LITERAL}::regnamespace and f.proname in ('capture', 'signal')
      )
      order by a.step desc
      limit 1
    ),
    relation
  );
end
$rowtap_body$;
`
