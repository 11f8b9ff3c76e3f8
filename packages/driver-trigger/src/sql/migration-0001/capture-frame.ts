import { SCHEMA, sql } from '../sql.ts'
import type { Sql } from '../sql.ts'
import type { BlockTexts } from './capture-block.ts'
import { addChange, BEGIN_BLOCK, CHOOSE_SHAPE } from './capture-block.ts'
import { PRINTS_ALIKE } from './planned-settings.ts'
import { insertIntoQueue, IS_HANDED_DOWN, NOBODY_READS, READ_STATE, WAKE_READERS } from './enqueue.ts'

/*
 * What the functions that capture the rows of a statement have in common, whole rows or a part of them: everything but
 * how rows are chosen and printed.
 */

/** The variables that capturing a statement takes. */
export const DECLARATIONS: Sql = sql`  state bigint;
  operation "char";
  context text;
  settings text[];
  depth int;
  inserted bigint;
  updated bigint;
  deleted bigint;
  chosen int;
  first_row int;
  count int;
  bytes bigint;
  pairs int;
  way bigint;
  old_text text;
  new_text text;
  old_texts text[];
  new_texts text[];
  olds refcursor;
  news refcursor;
  old_row record;
  new_row record;`

/** PL/pgSQL: whether this session has written to the table in several ways. */
export const IS_MIXED: Sql = sql`(inserted > 0)::int + (updated > 0)::int + (deleted > 0)::int > 1`

/** Finds out what level the statement has: how long it takes to say what caused it. (The first line says where this is.) */
export const FIND_DEPTH: Sql = sql`
    get diagnostics context = pg_context;
    depth := length(context) - strpos(context || E'\\n', E'\\n');`

/** Leaves where nothing is to be captured, and finds out and sets what capturing depends on. */
export const PREPARE_CAPTURE: Sql = sql`  state := ${READ_STATE};
  operation := "left"(tg_op, 1);
  inserted := pg_stat_get_xact_tuples_inserted(tg_relid);
  updated := pg_stat_get_xact_tuples_updated(tg_relid);
  deleted := pg_stat_get_xact_tuples_deleted(tg_relid);
  first_row := 0;
  pairs := 0;${BEGIN_BLOCK}
  -- Nobody reads, or has for long; or the table has become a partition, whose rows another trigger captures.
  if ${NOBODY_READS} or ${IS_HANDED_DOWN} then
    return null;
  end if;
  -- What one statement caused can only be mistaken for what another part of it did where there are several operations.
  if ${IS_MIXED} then${FIND_DEPTH}
  end if;

  -- Printing under settings of one's own. A SET of the function's would cost each call some microseconds.
  if not (${PRINTS_ALIKE}) then
    settings := ${SCHEMA}.print_settings();
  end if;`

/** Adds the rows that cursors have (`olds`, `news`), those that cannot be printed without their texts. */
export const EACH_ROW_BY_ITSELF: Sql = sql`    loop
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
      end;${addChange('either')}
    end loop;`

/** Puts settings back. */
export const END_PRINTING: Sql = sql`  if settings is not null then
    perform ${SCHEMA}.restore_settings(settings);
  end if;
  if first_row > 0 then
    -- That took a while.
    state := ${READ_STATE};
  end if;`

/** Writes what is left into the queue. */
export function writeLastBlock(texts: BlockTexts): Sql {
  return sql`  if count > 0 then${CHOOSE_SHAPE}${insertIntoQueue(
    sql`root, shape, operation, rows, first, level, inserted, updated, deleted, old, new`,
    sql`tg_relid, chosen, operation, count, first_row, depth, inserted, updated, deleted, ${texts.old}, ${texts.new}`,
  )}${WAKE_READERS}
  end if;
  return null;`
}
