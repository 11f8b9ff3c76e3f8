import {
  ADD_WANTED_CHANGE,
  addChange,
  BEGIN_BLOCK,
  LINES,
  NAME_RELATION,
  WANTED_LINES,
} from '../migration-0001/capture-block.ts'
import { captureOneRow, END_CAPTURE } from '../migration-0001/capture-one-row.ts'
import type { ChangeTexts } from '../migration-0001/capture-block.ts'
import {
  DECLARATIONS,
  PREPARE_CAPTURE,
  EACH_ROW_BY_ITSELF,
  END_PRINTING,
  writeLastBlock,
} from '../migration-0001/capture-frame.ts'
import { quoteLiteral, SCHEMA, SCHEMA_NAME_LITERAL, sql } from '../sql.ts'
import type { Sql } from '../sql.ts'
import type { NarrowedCapture } from './narrowed-capture.ts'
import { narrowedOneRow } from './narrowed-one-row.ts'
import type { RowAlias } from './narrowed-rows.ts'
import { listedColumns, narrowedRows } from './narrowed-rows.ts'

const NONE: Sql = sql``

/**
 * The body of a function that captures a part of the rows of a statement, by its transition tables. (Those of an UPDATE hold
 * the old and the new version of each row in the same order.)
 *
 * Where the part cannot be told (the table was altered since, the transaction may see an older state of it), or PostgreSQL
 * fails to evaluate it, whole rows are captured, all of them. A row that nobody wants counts nevertheless, so that the order
 * of the others is known: its text is a lone ".", and so is that of a block of such rows. A statement that no other one caused
 * is left out where nobody wants any of its rows. Where columns are left out, every listener has named some, and nobody wants an
 * update that changes none of them. What is left out by its operation does not count: rows of other operations
 * are told from each other by numbers of their own.
 */
export function narrowedStatementBody(capture: NarrowedCapture): Sql {
  const { unwanted, expression, columns, shape, printed } = capture
  // A column of the table may have any name: variables are qualified.
  const isNarrowed: Sql = sql`captured.is_current and ${SCHEMA}.planned_shape() = ${() => shape}`
  const chosen: Sql = sql`case when ${isNarrowed} then ${() => printed} end`
  const rows = narrowedRows({ expression, columns }, isNarrowed)
  const flag = expression === null ? NONE : sql`, ${rows.isWanted}`
  const [oldFlag, newFlag] = expression === null ? [NONE, NONE] : [sql`, old_wanted`, sql`, new_wanted`]
  const add = (texts: ChangeTexts): Sql => (expression === null ? addChange(texts) : ADD_WANTED_CHANGE)
  const addUpdate = expression === null && columns === null ? addChange('both') : ADD_WANTED_CHANGE
  // To print a row is what costs most: it is put off until it is known that somebody wants it.
  const pair: Sql =
    expression === null
      ? sql`select o.text, n.text, n.shape
        from (select ${rows.text('o')} from old_rows o limit 2) o (text)
        cross join (select ${rows.text('n')}, ${chosen} from new_rows n limit 2) n (text, shape)`
      : sql`select case when o.wanted or n.wanted then textin(record_out(o.image)) end,
          case when o.wanted or n.wanted then textin(record_out(n.image)) end, n.shape
        from (select ${rows.image('o')}, ${rows.isWanted} from old_rows o limit 2) o (image, wanted)
        cross join (select ${rows.image('n')}, ${rows.isWanted}, ${chosen} from new_rows n limit 2) n (image, wanted, shape)`
  const countUnwanted: Sql =
    expression === null
      ? NONE
      : sql`
        select count(*) / 2, coalesce(bool_or(r.wanted), false) into count, new_wanted
        from (select ${rows.isWanted} from old_rows o union all select ${rows.isWanted} from new_rows n) r (wanted);
        if new_wanted then
          count := 0;
        else
          unwanted := true;
          pairs := 0;
        end if;
      end if;
      if pairs > 1 then`
  const dropUnwanted: Sql =
    expression === null
      ? NONE
      : sql`
          if not (old_wanted or new_wanted) then
            old_text := null;
            new_text := null;
          end if;`
  const dropUnchanged: Sql =
    columns === null
      ? NONE
      : sql`
          if old_text = new_text then
            old_text := null;
            new_text := null;
          end if;`
  const open = (row: RowAlias): Sql => {
    const [cursor, table] = row === 'o' ? ['olds', 'old_rows'] : ['news', 'new_rows']
    const all: Sql = sql`open ${() => cursor} no scroll for select * from ${() => table};`
    return columns === null
      ? all
      : sql`if chosen is null then
        ${all}
      else
        open ${() => cursor} no scroll for select ${() => listedColumns(columns, row)} from ${() => table} ${() => row};
      end if;`
  }
  const leave: Sql =
    unwanted.length === 0
      ? NONE
      : sql`
  if tg_op in (${() => unwanted.map(quoteLiteral).join(', ')}) then
    return null;
  end if;`
  const leaveUnwanted: Sql =
    expression === null && columns === null
      ? NONE
      : sql`
  if unwanted then
    get diagnostics context = pg_context;
    if first_row = 0 and strpos(context, E'\\n') = 0 then
      return null;
    end if;
  end if;`
  return sql`
#variable_conflict use_column
begin${leave}
<<captured>>
declare
${DECLARATIONS}
  relation oid := tg_relid;
  is_current boolean;
  unwanted boolean;
  old_wanted boolean;
  new_wanted boolean;
  old_mark text;
  new_mark text;
begin${captureOneRow(narrowedOneRow(capture))}
${PREPARE_CAPTURE}
  is_current := current_setting('transaction_isolation') = 'read committed';
  unwanted := false;
  old_mark := case when tg_op <> 'INSERT' then '.' end;
  new_mark := case when tg_op <> 'DELETE' then '.' end;
  ${NAME_RELATION}
  if not is_current then
    -- What is planned with an old snapshot is not for others: with another search_path they plan anew.
    perform set_config('search_path', concat_ws(', ', 'pg_catalog', 'pg_temp', ${SCHEMA_NAME_LITERAL}), true);
  end if;

  begin
    if tg_op = 'INSERT' then
      for new_text, chosen in select ${rows.wantedText('n')}, ${chosen} from new_rows n loop${add('new')}
      end loop;
    elsif tg_op = 'DELETE' then
      for old_text, chosen in select ${rows.wantedText('o')}, ${chosen} from old_rows o loop${add('old')}
      end loop;
    else
      -- Most updates are of one row, and need no cursor.
      for old_text, new_text, chosen in
        ${pair}
      loop
        pairs := pairs + 1;
      end loop;
      if pairs = 1 then${dropUnchanged}${addUpdate}
      elsif pairs > 1 then${countUnwanted}
        open olds no scroll for select ${rows.text('o')}${flag} from old_rows o;
        for new_text${newFlag}, chosen in select ${rows.text('n')}${flag}, ${chosen} from new_rows n loop
          fetch olds into old_text${oldFlag};${dropUnwanted}${dropUnchanged}${addUpdate}
        end loop;
        close olds;
      end if;
    end if;
  exception when others then
    -- PostgreSQL makes no text of more than 1 GB, and fails: the writer must not. What was written is undone, and each row
    -- is tried by itself. (A block that writes nothing uses up no subtransaction id.)
    first_row := 0;${BEGIN_BLOCK}
    unwanted := false;
    if tg_op = 'DELETE' then
      select ${chosen} into chosen from old_rows o limit 1;
    else
      select ${chosen} into chosen from new_rows n limit 1;
    end if;
    if tg_op <> 'INSERT' then
      ${open('o')}
    end if;
    if tg_op <> 'DELETE' then
      ${open('n')}
    end if;
${EACH_ROW_BY_ITSELF}
  end;

${END_PRINTING}
${leaveUnwanted}
${writeLastBlock(expression === null && columns === null ? LINES : WANTED_LINES)}${END_CAPTURE}
end;
end
`
}

const DECLARED = /^ {2}(\w+) (?:\w+|"char")(?:\[\])?(?: :=.*)?;$/gmu
const WHOLE_TABLE = { unwanted: [], expression: 'true', columns: null, shape: '0', printed: '0' }

/** The names of the variables of such a body: where a column is gone, its name would mean one of them. */
export const CAPTURE_VARIABLES: ReadonlySet<string> = new Set([
  ...Array.from(narrowedStatementBody(WHOLE_TABLE).text('').matchAll(DECLARED), ([, name]) => name ?? ''),
  'new',
  'old',
  'found',
  'sqlstate',
  'sqlerrm',
  'tg_name',
  'tg_when',
  'tg_level',
  'tg_op',
  'tg_relid',
  'tg_relname',
  'tg_table_name',
  'tg_table_schema',
  'tg_nargs',
  'tg_argv',
  'tg_event',
  'tg_tag',
])
