import { SCHEMA, sql } from '../sql.ts'
import type { Sql } from '../sql.ts'
import { LARGEST_TEXT } from './capture-settings.ts'

/** How many changes a block holds at most, and of how many bytes, unless it is a single one. */
const BLOCK_ROWS = 100
export const BLOCK_BYTES = 65_536

/** Tells `planned_shape` which table is meant. */
export const NAME_RELATION: Sql = sql`if current_setting('rowtap.relation', true) is distinct from tg_relid::text then
        perform set_config('rowtap.relation', tg_relid::text, false);
      end if;`

/** Finds out which shape the rows of this statement have, when that is first needed. */
export const CHOOSE_SHAPE: Sql = sql`
    if chosen is not null then
      null;
    elsif current_setting('transaction_isolation') = 'read committed' then
      ${NAME_RELATION}
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

/** Writes the block into the queue. */
const FLUSH_BLOCK: Sql = sql`
          ${CHOOSE_SHAPE}
          perform ${SCHEMA}.enqueue(
            tg_relid, chosen, operation, count, first_row, depth, inserted, updated, deleted,
            concat_ws(E'\\n', old_first, array_to_string(old_others, E'\\n')),
            concat_ws(E'\\n', new_first, array_to_string(new_others, E'\\n'))
          );
          first_row := first_row + count;
          count := 0;`

/** Adds a change to the block; before that, writes the block into the queue if the change does not fit into it. */
export const ADD_CHANGE: Sql = sql`
        size := coalesce(octet_length(old_text), 0) + coalesce(octet_length(new_text), 0);
        if greatest(octet_length(old_text), octet_length(new_text)) > ${() => String(LARGEST_TEXT)} then
          size := 0;
          old_text := left(old_text, 0) || '-';
          new_text := left(new_text, 0) || '-';
        end if;
        if count = ${() => String(BLOCK_ROWS)} or count > 0 and bytes + size > ${() => String(BLOCK_BYTES)} then
${FLUSH_BLOCK}
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

/** The same, where rows that nobody wants come as nulls: they only count, in a block of their own or between others. */
export const ADD_WANTED_CHANGE: Sql = sql`
        if coalesce(old_text, new_text) is null and (unwanted or count in (0, ${() => String(BLOCK_ROWS)})) then
          if count > 0 and not unwanted then${FLUSH_BLOCK}
          end if;
          unwanted := true;
          old_first := old_mark;
          new_first := new_mark;
          old_others := null;
          new_others := null;
          count := count + 1;
        else
          if unwanted then${FLUSH_BLOCK}
            unwanted := false;
          end if;
          if coalesce(old_text, new_text) is null then
            old_text := old_mark;
            new_text := new_mark;
          end if;${ADD_CHANGE}
        end if;`
