import { SCHEMA, sql } from '../sql.ts'
import type { Sql } from '../sql.ts'
import { CAPTURE_SETTINGS, LARGEST_TEXT } from './capture-settings.ts'
import { insertIntoQueue, NOBODY_READS, READ_STATE, WAKE_READERS } from './enqueue.ts'

/** How many changes a block holds at most, and of how many bytes, unless it is a single one. */
const BLOCK_ROWS = 100
const BLOCK_BYTES = 65_536

/** Finds out which shape the rows of this statement have, when that is first needed. */
const CHOOSE_SHAPE: Sql = sql`
    if chosen is not null then
      null;
    elsif current_setting('transaction_isolation') = 'read committed' then
      if current_setting('rowtap.relation', true) is distinct from tg_relid::text then
        perform set_config('rowtap.relation', tg_relid::text, false);
      end if;
      if tg_op = 'DELETE' then
        select ${SCHEMA}.planned_shape() into chosen from old_rows o limit 1;
      else
        select ${SCHEMA}.planned_shape() into chosen from new_rows n limit 1;
      end if;
    else
      chosen := ${SCHEMA}.record_shape(tg_relid, tg_relid);
    end if;
    if chosen is null then
      chosen := coalesce(${SCHEMA}.settled_shape(tg_relid), ${SCHEMA}.unsettled_shape(tg_relid, tg_relid));
    end if;`

/** Adds a change to the block; before that, writes the block into the queue if the change does not fit into it. */
const ADD_TO_BLOCK: Sql = sql`
        size := coalesce(octet_length(old_text), 0) + coalesce(octet_length(new_text), 0);
        if size > ${() => String(LARGEST_TEXT)} then
          size := 0;
          old_text := left(old_text, 0) || '-';
          new_text := left(new_text, 0) || '-';
        end if;
        if count = ${() => String(BLOCK_ROWS)} or count > 0 and bytes + size > ${() => String(BLOCK_BYTES)} then
          ${CHOOSE_SHAPE}
          perform ${SCHEMA}.enqueue(
            tg_relid, chosen, operation, count, first_row, depth, inserted, updated, deleted,
            concat_ws(E'\\n', old_first, array_to_string(old_others, E'\\n')),
            concat_ws(E'\\n', new_first, array_to_string(new_others, E'\\n'))
          );
          first_row := first_row + count;
          count := 0;
        end if;
        if count = 0 then
          bytes := size;
          old_first := old_text;
          new_first := new_text;
          old_others := null;
          new_others := null;
        else
          bytes := bytes + size;
          if old_text is not null then
            old_others := old_others || old_text;
          end if;
          if new_text is not null then
            new_others := new_others || new_text;
          end if;
        end if;
        count := count + 1;`

/** What runs in the writer's transaction at the end of a statement. */
export const CAPTURE_STATEMENT_FUNCTION: Sql = sql`
create function ${SCHEMA}.enqueue(
  root oid, shape int, operation "char", rows int, first int, level int, inserted bigint, updated bigint, deleted bigint,
  old text, new text
) returns void
language plpgsql volatile set search_path = pg_catalog, pg_temp
as $rowtap_body$
#variable_conflict use_variable
declare
  state bigint := ${READ_STATE};
begin
  ${insertIntoQueue(
    sql`root, shape, operation, rows, first, level, inserted, updated, deleted, old, new`,
    sql`root, shape, operation, rows, first, level, inserted, updated, deleted, nullif(old, ''), nullif(new, '')`,
  )}
end
$rowtap_body$;

-- Captures the rows of a statement, by its transition tables. (Those of an UPDATE hold the old and the new version of each
-- row in the same order.)
create function ${SCHEMA}.capture_statement() returns trigger${CAPTURE_SETTINGS}
as $rowtap_body$
#variable_conflict use_variable
declare
  state bigint := ${READ_STATE};
  operation "char" := "left"(tg_op, 1);
  context text;
  settings text[];
  depth int;
  inserted bigint := pg_stat_get_xact_tuples_inserted(tg_relid);
  updated bigint := pg_stat_get_xact_tuples_updated(tg_relid);
  deleted bigint := pg_stat_get_xact_tuples_deleted(tg_relid);
  chosen int;
  first_row int := 0;
  count int := 0;
  bytes int := 0;
  size int;
  pairs int := 0;
  old_text text;
  new_text text;
  old_first text;
  new_first text;
  old_others text[];
  new_others text[];
  olds refcursor;
  news refcursor;
  old_row record;
  new_row record;
begin
  -- Nobody reads, or has for long; or the table has become a partition, whose rows another trigger captures.
  if ${NOBODY_READS} or pg_partition_root(tg_relid) is not null then
    return null;
  end if;
  -- What one statement caused can only be mistaken for what another part of it did where there are several operations.
  if sign(inserted) + sign(updated) + sign(deleted) > 1 then
    get diagnostics context = pg_context;
    depth := length(context);
  end if;

  -- Printing under settings of one's own. A SET of the function's would cost each call some microseconds.
  if not (
    starts_with(current_setting('DateStyle'), 'ISO')
    and current_setting('TimeZone') in ('UTC', 'Etc/UTC', 'GMT')
    and current_setting('IntervalStyle') = 'postgres'
    and current_setting('extra_float_digits') in ('1', '2', '3')
    and current_setting('bytea_output') = 'hex'
    and current_setting('quote_all_identifiers') = 'off'
    and current_setting('lc_monetary') = ${SCHEMA}.monetary_locale()
  ) then
    settings := ${SCHEMA}.print_settings();
  end if;

  begin
    if tg_op = 'INSERT' then
      for new_text in select textin(record_out(n.*)) from new_rows n loop${ADD_TO_BLOCK}
      end loop;
    elsif tg_op = 'DELETE' then
      for old_text in select textin(record_out(o.*)) from old_rows o loop${ADD_TO_BLOCK}
      end loop;
    else
      -- Most updates are of one row, and need no cursor.
      for old_text, new_text in
        select o.text, n.text
        from (select textin(record_out(o.*)) from old_rows o limit 2) o (text)
        cross join (select textin(record_out(n.*)) from new_rows n limit 2) n (text)
      loop
        pairs := pairs + 1;
      end loop;
      if pairs = 1 then${ADD_TO_BLOCK}
      elsif pairs > 1 then
        open olds no scroll for select textin(record_out(o.*)) from old_rows o;
        for new_text in select textin(record_out(n.*)) from new_rows n loop
          fetch olds into old_text;${ADD_TO_BLOCK}
        end loop;
        close olds;
      end if;
    end if;
  exception when others then
    -- PostgreSQL makes no text of more than 1 GB, and fails: the writer must not. What was written is undone, and each row
    -- is tried by itself. (A block that writes nothing uses up no subtransaction id.)
    first_row := 0;
    count := 0;
    if tg_op <> 'INSERT' then
      open olds no scroll for select * from old_rows;
    end if;
    if tg_op <> 'DELETE' then
      open news no scroll for select * from new_rows;
    end if;
    loop
      if tg_op <> 'INSERT' then
        fetch olds into old_row;
      end if;
      if tg_op <> 'DELETE' then
        fetch news into new_row;
      end if;
      exit when not found;
      begin
        if tg_op <> 'INSERT' then
          old_text := textin(record_out(old_row));
        end if;
        if tg_op <> 'DELETE' then
          new_text := textin(record_out(new_row));
        end if;
      exception when others then
        old_text := case when tg_op <> 'INSERT' then '-' end;
        new_text := case when tg_op <> 'DELETE' then '-' end;
      end;${ADD_TO_BLOCK}
    end loop;
  end;

  if settings is not null then
    perform ${SCHEMA}.restore_settings(settings);
  end if;
  if first_row > 0 then
    -- That took a while.
    state := ${READ_STATE};
  end if;
  if count > 0 then${CHOOSE_SHAPE}
    if old_others is not null then
      old_first := concat_ws(E'\\n', old_first, array_to_string(old_others, E'\\n'));
    end if;
    if new_others is not null then
      new_first := concat_ws(E'\\n', new_first, array_to_string(new_others, E'\\n'));
    end if;${insertIntoQueue(
      sql`root, shape, operation, rows, first, level, inserted, updated, deleted, old, new`,
      sql`tg_relid, chosen, operation, count, first_row, depth, inserted, updated, deleted, old_first, new_first`,
    )}${WAKE_READERS}
  end if;
  return null;
end
$rowtap_body$;
`
