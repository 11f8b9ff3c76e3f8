import { SCHEMA, sql } from '../sql.ts'
import type { Sql } from '../sql.ts'
import { LARGEST_TEXT } from './capture-settings.ts'

/** How many changes a block holds at most, and of how many bytes, unless it is a single one. */
const BLOCK_ROWS = 100
export const BLOCK_BYTES = 65_536

/** Tells `planned_shape` which table is meant. (Where capturing one row failed, what that had told is taken back.) */
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

/** The texts of a block: those before, and those after. */
export interface BlockTexts {
  readonly old: Sql
  readonly new: Sql
}

/** A line for each change. */
export const LINES: BlockTexts = {
  old: sql`array_to_string(old_texts, E'\\n')`,
  new: sql`array_to_string(new_texts, E'\\n')`,
}

/** Writes the block into the queue, and begins another one. */
function flushBlock(texts: BlockTexts): Sql {
  return sql`
          ${CHOOSE_SHAPE}
          perform ${SCHEMA}.enqueue(
            tg_relid, chosen, operation, count, first_row, depth, inserted, updated, deleted, ${texts.old}, ${texts.new}
          );
          first_row := first_row + count;${BEGIN_BLOCK}`
}

/** Begins a block. */
export const BEGIN_BLOCK: Sql = sql`
          count := 0;
          bytes := 0;
          old_texts := null;
          new_texts := null;`

/** Which texts a change has. */
export type ChangeTexts = 'old' | 'new' | 'both' | 'either'

const LENGTH = { old: sql`octet_length(old_text)::bigint`, new: sql`octet_length(new_text)::bigint` }
const SIZE: Readonly<Record<ChangeTexts, Sql>> = {
  old: LENGTH.old,
  new: LENGTH.new,
  both: sql`${LENGTH.old} + ${LENGTH.new}`,
  either: sql`coalesce(${LENGTH.old}, 0) + coalesce(${LENGTH.new}, 0)`,
}

const APPEND_OLD: Sql = sql`
        old_texts := old_texts || old_text;`
const APPEND_NEW: Sql = sql`
        new_texts := new_texts || new_text;`
const APPEND: Readonly<Record<ChangeTexts, Sql>> = {
  old: APPEND_OLD,
  new: APPEND_NEW,
  both: sql`${APPEND_OLD}${APPEND_NEW}`,
  either: sql`
        if old_text is not null then${APPEND_OLD}
        end if;
        if new_text is not null then${APPEND_NEW}
        end if;`,
}

/**
 * Adds a change to the block; before that, writes the block into the queue if it is full, or the change would make it too
 * large. (Of statements of many rows this is most of what capturing costs beyond printing them: each expression counts.)
 */
export function addChange(texts: ChangeTexts): Sql {
  return sql`
        bytes := bytes + ${SIZE[texts]};
        if count = ${() => String(BLOCK_ROWS)} or bytes > ${() => String(BLOCK_BYTES)} then
          if count > 0 then
${flushBlock(LINES)}
          end if;
          bytes := ${SIZE[texts]};
          if greatest(octet_length(old_text), octet_length(new_text)) > ${() => String(LARGEST_TEXT)} then
            bytes := 0;
            old_text := left(old_text, 0) || '-';
            new_text := left(new_text, 0) || '-';
          end if;
        end if;${APPEND[texts]}
        count := count + 1;`
}

/** The texts where a block may be one of rows that nobody wants. */
export const WANTED_LINES: BlockTexts = {
  old: sql`case when unwanted then old_mark else ${LINES.old} end`,
  new: sql`case when unwanted then new_mark else ${LINES.new} end`,
}

/** The same, where rows that nobody wants come as nulls: they only count, in a block of their own or between others. */
export const ADD_WANTED_CHANGE: Sql = sql`
        if coalesce(old_text, new_text) is null and (unwanted or count in (0, ${() => String(BLOCK_ROWS)})) then
          if count > 0 and not unwanted then${flushBlock(LINES)}
          end if;
          unwanted := true;
          count := count + 1;
        else
          if unwanted then${flushBlock(WANTED_LINES)}
            unwanted := false;
          end if;
          if coalesce(old_text, new_text) is null then
            old_text := old_mark;
            new_text := new_mark;
          end if;${addChange('either')}
        end if;`
