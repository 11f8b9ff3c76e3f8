import { SCHEMA, SCHEMA_LITERAL, SLEEP_LITERAL, sql } from '../sql.ts'
import type { Sql } from '../sql.ts'

/** What runs in the writer's transaction. */
export const CAPTURE_FUNCTION: Sql = sql`
-- Runs as its owner, in the writer's transaction, for every captured row and every captured TRUNCATE. It names what
-- it calls in a pinned search_path, converts rows by their types' own output functions (never by a cast, which the
-- table's owner could define), and prints under settings of its own.
create function ${SCHEMA}.capture() returns trigger
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
set "DateStyle" = 'ISO'
set "IntervalStyle" = 'postgres'
set "TimeZone" = 'UTC'
set bytea_output = 'hex'
set extra_float_digits = 1
set quote_all_identifiers = off
set lc_monetary from current
set plan_cache_mode = 'force_generic_plan'
as $rowtap_body$
#variable_conflict use_column
declare
  chosen int;
begin
  if current_setting('transaction_isolation') <> 'read committed' then
    if tg_op = 'DELETE' then
      chosen := ${SCHEMA}.record_shape(tg_relid, old);
    elsif tg_op <> 'TRUNCATE' then
      chosen := ${SCHEMA}.record_shape(tg_relid, new);
    end if;
  end if;

  if chosen is null then
    insert into ${SCHEMA}.queue (xid, root, shape, operation, old, new)
    select
      pg_current_xact_id(), s.root, s.id, case when tg_nargs = 0 then "left"(tg_op, 1) else 'P' end::"char",
      case when tg_op in ('UPDATE', 'DELETE') then textin(record_out(old)) end,
      case when tg_op in ('INSERT', 'UPDATE') then textin(record_out(new)) end
    from (
      select s.id, s.root
      from ${SCHEMA}.shape s
      where s.relation = tg_relid and s.owner is null
        and s.versions = array(
          select a.xmin from pg_attribute a where a.attrelid = tg_relid and a.attnum > 0 order by a.attnum
        )
      limit 1
    ) s;
    if not found then
      chosen := ${SCHEMA}.unsettled_shape(tg_relid);
    end if;
  end if;

  if chosen is not null then
    insert into ${SCHEMA}.queue (xid, root, shape, operation, old, new)
    select
      pg_current_xact_id(), s.root, s.id, case when tg_nargs = 0 then "left"(tg_op, 1) else 'P' end::"char",
      case when tg_op in ('UPDATE', 'DELETE') then textin(record_out(old)) end,
      case when tg_op in ('INSERT', 'UPDATE') then textin(record_out(new)) end
    from ${SCHEMA}.shape s
    where s.id = chosen;
  end if;

  -- NOTIFY costs every writer a lock at commit, so it is sent only while a reader sleeps; and it would make a
  -- PREPARE TRANSACTION fail, so it is not sent where there can be one.
  if pg_sequence_last_value(${SLEEP_LITERAL}::regclass) = 2 and current_setting('max_prepared_transactions') = '0' then
    perform pg_notify(${SCHEMA_LITERAL}, '');
  end if;
  return null;
end
$rowtap_body$;
`
