import { sql } from '../sql.ts'
import type { Sql } from '../sql.ts'
import { addChange, BEGIN_BLOCK, LINES } from './capture-block.ts'
import { captureOneRow, END_CAPTURE, WHOLE_ROW } from './capture-one-row.ts'
import { DECLARATIONS, PREPARE_CAPTURE, EACH_ROW_BY_ITSELF, END_PRINTING, writeLastBlock } from './capture-frame.ts'

/**
 * The body of a function that captures the rows of a statement, by its transition tables. (Those of an UPDATE hold the old
 * and the new version of each row in the same order.)
 */
export const CAPTURE_STATEMENT_BODY: Sql = sql`
#variable_conflict use_variable
declare
${DECLARATIONS}
begin${captureOneRow(WHOLE_ROW)}
${PREPARE_CAPTURE}

  begin
    if tg_op = 'INSERT' then
      for new_text in select textin(record_out(n.*)) from new_rows n loop${addChange('new')}
      end loop;
    elsif tg_op = 'DELETE' then
      for old_text in select textin(record_out(o.*)) from old_rows o loop${addChange('old')}
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
      if pairs = 1 then${addChange('both')}
      elsif pairs > 1 then
        open olds no scroll for select textin(record_out(o.*)) from old_rows o;
        for new_text in select textin(record_out(n.*)) from new_rows n loop
          fetch olds into old_text;${addChange('both')}
        end loop;
        close olds;
      end if;
    end if;
  exception when others then
    -- PostgreSQL makes no text of more than 1 GB, and fails: the writer must not. What was written is undone, and each row
    -- is tried by itself. (A block that writes nothing uses up no subtransaction id.)
    first_row := 0;${BEGIN_BLOCK}
    if tg_op <> 'INSERT' then
      open olds no scroll for select * from old_rows;
    end if;
    if tg_op <> 'DELETE' then
      open news no scroll for select * from new_rows;
    end if;
${EACH_ROW_BY_ITSELF}
  end;

${END_PRINTING}

${writeLastBlock(LINES)}${END_CAPTURE}
end
`
