import { SCHEMA, sql } from '../sql.ts'
import type { Sql } from '../sql.ts'
import { ADD_CHANGE, ADD_WANTED_CHANGE, CHOOSE_SHAPE, NAME_RELATION } from './capture-block.ts'
import { insertIntoQueue, NOBODY_READS, READ_STATE, WAKE_READERS } from './enqueue.ts'

/** Which rows of a table are wanted. */
export interface RowFilter {
  /** An expression on a row, which is true where somebody wants it. */
  readonly expression: string
  /** The number of the table's shape that it was made for: of a table that was altered since, all rows are captured. */
  readonly shape: string
}

/** Variables that only a function with a filter has. */
const FILTER_VARIABLES = `
  is_current boolean := current_setting('transaction_isolation') = 'read committed';
  unwanted boolean := false;
  old_wanted boolean;
  new_wanted boolean;
  old_mark text := case when tg_op <> 'INSERT' then '.' end;
  new_mark text := case when tg_op <> 'DELETE' then '.' end;`

/**
 * The body of a function that captures the rows of a statement, by its transition tables. (Those of an UPDATE hold the old
 * and the new version of each row in the same order.)
 *
 * @param filter `null`: all rows are wanted. Where PostgreSQL cannot evaluate it, all are captured. A row that nobody wants counts nevertheless, so that the order of the others is known: its
 *   text is a lone ".", and so is that of a block of such rows. A statement that no other one caused is left out where
 *   nobody wants any of its rows.
 */
export function captureStatementBody(filter: RowFilter | null): Sql {
  const add = filter === null ? ADD_CHANGE : ADD_WANTED_CHANGE
  const { expression, shape } = filter ?? { expression: 'true', shape: '0' }
  const test: Sql = sql`case when is_current and ${SCHEMA}.planned_shape() = ${() => shape} then (${() => expression}) is true else true end`
  const printed = (row: 'o' | 'n'): Sql => {
    const text: Sql = sql`textin(record_out(${() => row}.*))`
    return filter === null ? text : sql`case when ${test} then ${text} end`
  }
  const pair: Sql =
    filter === null
      ? sql`select o.text, n.text
        from (select textin(record_out(o.*)) from old_rows o limit 2) o (text)
        cross join (select textin(record_out(n.*)) from new_rows n limit 2) n (text)`
      : sql`select case when o.wanted or n.wanted then o.text end, case when o.wanted or n.wanted then n.text end
        from (select textin(record_out(o.*)), ${test} from old_rows o limit 2) o (text, wanted)
        cross join (select textin(record_out(n.*)), ${test} from new_rows n limit 2) n (text, wanted)`
  const none: Sql = sql``
  const relation =
    filter === null
      ? none
      : sql`
    ${NAME_RELATION}
`
  const flag = filter === null ? none : sql`, ${test}`
  const [oldFlag, newFlag] = filter === null ? [none, none] : [sql`, old_wanted`, sql`, new_wanted`]
  const dropUnwanted =
    filter === null
      ? none
      : sql`
          if not (old_wanted or new_wanted) then
            old_text := null;
            new_text := null;
          end if;`
  const end =
    filter === null
      ? none
      : sql`
  if unwanted then
    get diagnostics context = pg_context;
    if first_row = 0 and strpos(context, E'\\n') = 0 then
      return null;
    end if;
  end if;`
  return sql`
${() => (filter === null ? '#variable_conflict use_variable' : '#variable_conflict use_column')}
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
  new_row record;${() => (filter === null ? '' : FILTER_VARIABLES)}
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
${relation}
  begin
    if tg_op = 'INSERT' then
      for new_text in select ${printed('n')} from new_rows n loop${add}
      end loop;
    elsif tg_op = 'DELETE' then
      for old_text in select ${printed('o')} from old_rows o loop${add}
      end loop;
    else
      -- Most updates are of one row, and need no cursor.
      for old_text, new_text in
        ${pair}
      loop
        pairs := pairs + 1;
      end loop;
      if pairs = 1 then${add}
      elsif pairs > 1 then
        open olds no scroll for select textin(record_out(o.*))${flag} from old_rows o;
        for new_text${newFlag} in select textin(record_out(n.*))${flag} from new_rows n loop
          fetch olds into old_text${oldFlag};${dropUnwanted}${add}
        end loop;
        close olds;
      end if;
    end if;
  exception when others then
    -- PostgreSQL makes no text of more than 1 GB, and fails: the writer must not. What was written is undone, and each row
    -- is tried by itself. (A block that writes nothing uses up no subtransaction id.)
    first_row := 0;
    count := 0;${() => (filter === null ? '' : '\n    unwanted := false;')}
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
      end;${ADD_CHANGE}
    end loop;
  end;

  if settings is not null then
    perform ${SCHEMA}.restore_settings(settings);
  end if;
  if first_row > 0 then
    -- That took a while.
    state := ${READ_STATE};
  end if;
${end}
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
`
}

const DECLARED = /^ {2}(\w+) (?:\w+|"char")(?:\[\])?(?: :=.*)?;$/gmu

/** The names of the variables of such a body: where a column is gone, its name would mean one of them. */
export const CAPTURE_VARIABLES: ReadonlySet<string> = new Set([
  ...Array.from(
    captureStatementBody({ expression: 'true', shape: '0' }).text('').matchAll(DECLARED),
    ([, name]) => name ?? '',
  ),
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
