import { versionsOf } from '../shape-content.ts'
import { SCHEMA, sql } from '../sql.ts'
import type { Sql } from '../sql.ts'
import { CAPTURE_SETTINGS, CATALOG_SETTINGS, LARGEST_TEXT, PRINT_SETTINGS } from './capture-settings.ts'
import { insertIntoQueue, NOBODY_READS, READ_STATE, WAKE_READERS } from './enqueue.ts'

/** What runs in the writer's transaction for a TRUNCATE, and for each row where there is no trigger for statements. */
export const CAPTURE_FUNCTION: Sql = sql`
-- Captures a TRUNCATE; and, where it is called by a row trigger, one row.
create function ${SCHEMA}.capture() returns trigger${CAPTURE_SETTINGS}${CATALOG_SETTINGS}${PRINT_SETTINGS}
as $rowtap_body$
#variable_conflict use_variable
declare
  state bigint := ${READ_STATE};
  top oid := coalesce(pg_partition_root(tg_relid), tg_relid);
  operation "char" := "left"(tg_op, 1);
  old_place tid;
  new_place tid;
  chosen int;
  old_text text;
  new_text text;
begin
  -- Nobody reads, or has for long.
  if ${NOBODY_READS} then
    return null;
  end if;

  if tg_op = 'TRUNCATE' then
    new_place := '(0,0)';
    if top <> tg_relid then
      top := ${SCHEMA}.captured_top(tg_relid);
      operation := case when top <> tg_relid then 'P' else 'T' end;
    end if;
  elsif tg_argv[0] <> top::text then
    -- What is above it may be captured by nobody. A captured table that was attached to another captured one has its own
    -- trigger beside the clone of the other's.
    top := ${SCHEMA}.captured_top(tg_relid);
    if tg_argv[0] <> top::text then
      return null;
    end if;
  end if;
  if tg_op in ('UPDATE', 'DELETE') then
    old_place := old.ctid;
  end if;
  if tg_op in ('INSERT', 'UPDATE') then
    -- The trigger fires when its statement ends. Has what the statement caused changed this version of the row already?
    if new.xmax <> 0 then
      new_place := new.ctid;
    end if;
  end if;

  -- PostgreSQL makes no text of more than 1 GB, and fails: the writer must not. A change without its row says that it
  -- was too large. (A block that writes nothing uses up no subtransaction id.)
  begin
    if tg_op in ('UPDATE', 'DELETE') then
      old_text := textin(record_out(old));
    end if;
    if tg_op in ('INSERT', 'UPDATE') then
      new_text := textin(record_out(new));
    end if;
    if greatest(octet_length(old_text), octet_length(new_text)) > ${() => String(LARGEST_TEXT)} then
      old_text := null;
      new_text := null;
    end if;
  exception when others then
    old_text := null;
    new_text := null;
  end;

  if current_setting('transaction_isolation') <> 'read committed' and tg_op <> 'TRUNCATE' then
    chosen := ${SCHEMA}.record_shape(tg_relid, top);
  end if;

  if chosen is null then
    select s.id into chosen
    from ${SCHEMA}.shape s
    where s.relation = tg_relid and s.root = top and s.versions = ${versionsOf('tg_relid')}
    limit 1;
    if chosen is null then
      chosen := ${SCHEMA}.unsettled_shape(tg_relid, top);
    end if;
  end if;
  ${insertIntoQueue(
    sql`root, shape, operation, file, old_place, new_place, old, new`,
    sql`top, chosen, operation, pg_relation_filenode(tg_relid), old_place, new_place, old_text, new_text`,
  )}${WAKE_READERS}
  return null;
end
$rowtap_body$;
`
