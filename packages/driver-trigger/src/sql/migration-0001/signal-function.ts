import { SCHEMA, SCHEMA_NAME_LITERAL, sql } from '../sql.ts'
import type { Sql } from '../sql.ts'
import { insertIntoQueue, NOBODY_READS, READ_STATE, WAKE_READERS } from './enqueue.ts'

/** What runs in the writer's transaction where nobody wants rows of a table: at the end of a statement, or for each row. */
export const SIGNAL_FUNCTION: Sql = sql`
-- Tells, once in a transaction for each operation, that rows of a table were changed. What it has told is in a setting, which
-- is rolled back with a savepoint, as what it has written is.
create function ${SCHEMA}.signal() returns trigger
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $rowtap_body$
#variable_conflict use_variable
declare
  state bigint;
  here text := pg_current_xact_id_if_assigned()::text;
  told text;
  top oid;
  mark text;
begin
  -- A transaction without an id has changed nothing. Where one has, the server's count of the session's changes tells that a
  -- statement has changed no row, unless others had shortly before.
  if here is null or tg_level = 'STATEMENT' and current_setting('track_counts') = 'on' and 0 = (
    case tg_op
      when 'INSERT' then pg_stat_get_xact_tuples_inserted(tg_relid)
      when 'UPDATE' then pg_stat_get_xact_tuples_updated(tg_relid)
      else pg_stat_get_xact_tuples_deleted(tg_relid)
    end
  ) then
    return null;
  end if;

  top := coalesce(pg_partition_root(tg_relid), tg_relid);
  if coalesce(tg_argv[0], tg_relid::text) <> top::text then
    -- What is above it may be captured by nobody.
    top := ${SCHEMA}.captured_top(tg_relid);
  end if;
  mark := concat(${SCHEMA_NAME_LITERAL}::regnamespace::oid, '/', top, tg_op, ' ');
  told := current_setting('rowtap.signalled', true);
  if told is null or not starts_with(told, here || ' ') then
    told := here || ' ';
  elsif strpos(told, ' ' || mark) > 0 then
    return null;
  end if;

  state := ${READ_STATE};
  -- Nobody reads, or has for long; or the table has become a partition, or was attached to another one, and has the clone of
  -- the other's trigger, too.
  if ${NOBODY_READS} or coalesce(tg_argv[0], tg_relid::text) <> top::text then
    return null;
  end if;
${insertIntoQueue(sql`root, shape, operation`, sql`top, 0, lower("left"(tg_op, 1))`)}
  perform set_config('rowtap.signalled', told || mark, true);${WAKE_READERS}
  return null;
end
$rowtap_body$;
`
