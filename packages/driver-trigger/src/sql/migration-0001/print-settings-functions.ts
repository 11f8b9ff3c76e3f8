import { SCHEMA, sql } from '../sql.ts'
import type { Sql } from '../sql.ts'

/** What pins the settings that values are printed under, where a SET of the function's own would cost too much. */
export const PRINT_SETTINGS_FUNCTIONS: Sql = sql`
-- The locale that money is printed in.
create function ${SCHEMA}.monetary_locale() returns text
language plpgsql immutable set lc_monetary from current
as $rowtap_body$ begin return pg_catalog.current_setting('lc_monetary'); end $rowtap_body$;

-- Has values printed alike whatever the writer's settings are, and returns what is to be restored.
create function ${SCHEMA}.print_settings() returns text[]
language plpgsql volatile set search_path = pg_catalog, pg_temp
as $rowtap_body$
#variable_conflict use_column
declare
  before text[] := '{}';
  setting record;
begin
  for setting in
    select s.name, s.value, current_setting(s.name) as present
    from (values
      ('DateStyle', 'ISO'), ('TimeZone', 'UTC'), ('IntervalStyle', 'postgres'), ('extra_float_digits', '1'),
      ('bytea_output', 'hex'), ('quote_all_identifiers', 'off'), ('lc_monetary', ${SCHEMA}.monetary_locale())
    ) s (name, value)
    where current_setting(s.name) <> s.value
  loop
    before := before || array[setting.name, setting.present];
    perform set_config(setting.name, setting.value, true);
  end loop;
  return before;
end
$rowtap_body$;

create function ${SCHEMA}.restore_settings(settings text[]) returns void
language plpgsql volatile set search_path = pg_catalog, pg_temp
as $rowtap_body$
begin
  for place in 1 .. cardinality(settings) by 2 loop
    perform set_config(settings[place], settings[place + 1], true);
  end loop;
end
$rowtap_body$;
`
