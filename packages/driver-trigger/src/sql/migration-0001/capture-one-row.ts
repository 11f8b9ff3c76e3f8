import { SCHEMA, sql } from '../sql.ts'
import type { Sql } from '../sql.ts'
import { BLOCK_BYTES } from './capture-block.ts'
import { FIND_DEPTH } from './capture-frame.ts'
import { insertIntoQueue, insertIntoTable, NOBODY_READS, READ_STATE, WAKE_READERS } from './enqueue.ts'
import { PRINTED_ALIKE } from './planned-settings.ts'

/*
 * Most statements write one row, many of them in a transaction of their own. What capturing such a one costs is above all the
 * number of PL/pgSQL's expressions: each is made ready anew in every transaction. Here they are few, and one query does most.
 */

/** How a row is read, for one operation. */
export interface OneRow {
  /** The row before and after, as texts: two columns of a query, null where there is none, or nobody wants it. */
  readonly texts: Sql
  /** Where they are read from: the first row, or the only one. */
  readonly rows: Sql
}

/** Which part of a row is captured. */
export interface OneRowPart {
  readonly insert: OneRow
  readonly update: OneRow
  readonly delete: OneRow
  /** The number of the shape of what is printed: a column of the same query, which PostgreSQL knows when it plans it. */
  readonly chosen: Sql
  /** The table, in that query. */
  readonly relation: Sql
  /** Whether nobody wants an update, say `old_text` and `new_text`; left out: each is wanted. And likewise of other operations. */
  readonly isUnwanted?: { readonly update: Sql; readonly others: Sql }
}

/** The whole row. */
export const WHOLE_ROW: OneRowPart = {
  insert: { texts: sql`null, textin(record_out(n.*))`, rows: sql`new_rows n` },
  update: {
    texts: sql`textin(record_out(o.*)), textin(record_out(n.*))`,
    rows: sql`old_rows o cross join new_rows n`,
  },
  delete: { texts: sql`textin(record_out(o.*)), null`, rows: sql`old_rows o` },
  chosen: sql`${SCHEMA}.planned_shape()`,
  relation: sql`tg_relid`,
}

type RowOperation = 'insert' | 'update' | 'delete'

/** How long the texts are. */
const SIZE: Readonly<Record<RowOperation, Sql>> = {
  insert: sql`octet_length(new_text)`,
  update: sql`octet_length(old_text) + octet_length(new_text)`,
  delete: sql`octet_length(old_text)`,
}

/** How many rows of the table were written by other operations. */
const OTHERS: Readonly<Record<RowOperation, Sql>> = {
  insert: sql`updated + deleted`,
  update: sql`inserted + deleted`,
  delete: sql`inserted + updated`,
}

const LETTER: Readonly<Record<RowOperation, string>> = { insert: 'I', update: 'U', delete: 'D' }

/**
 * Looks at the first row of a statement. Afterwards `way` is null if there is none; -1 if it is not the only one, or something
 * is out of the ordinary (-2: nobody has looked, or it cannot be printed); 0, 2 or 4 if there is nothing to do but to write it into the queue's first,
 * second or third table; an odd number if a reader sleeps; 8 if the table was written to by other operations, too.
 */
function look(operation: RowOperation, { chosen, relation, isUnwanted, ...part }: OneRowPart): Sql {
  const { texts, rows } = part[operation]
  const table: Sql = operation === 'delete' ? sql`old_rows` : sql`new_rows`
  const unwanted = operation === 'update' ? isUnwanted?.update : isUnwanted?.others
  return sql`
      select ${texts}, '${() => LETTER[operation]}'::"char", ${chosen},
        case when ${PRINTED_ALIKE} and not exists (select from ${table} offset 1) then ${READ_STATE} end,
        pg_stat_get_xact_tuples_inserted(${relation}), pg_stat_get_xact_tuples_updated(${relation}),
        pg_stat_get_xact_tuples_deleted(${relation})
      into old_text, new_text, operation, chosen, state, inserted, updated, deleted
      from ${rows}
      limit 1;${unwanted === undefined ? NONE : leaveOut(operation, unwanted)}
      way := case
        when not ${NOBODY_READS} and chosen > 0 and ${SIZE[operation]} <= ${() => String(BLOCK_BYTES)}
        then case when ${OTHERS[operation]} = 0 then state & 7 else 8 end
        when operation is not null then -1
      end;`
}

const NONE: Sql = sql``

/** Leaves a row out that nobody wants. If another statement caused this one, it counts, so that the order of others is known. */
function leaveOut(operation: RowOperation, isUnwanted: Sql): Sql {
  const mark = (row: 'old' | 'new'): Sql => sql`
        ${() => row}_text := '.';`
  return sql`
      if state is not null and (${isUnwanted}) then
        get diagnostics context = pg_context;
        if strpos(context, E'\\n') = 0 then
          return null;
        end if;${operation === 'insert' ? NONE : mark('old')}${operation === 'delete' ? NONE : mark('new')}
      end if;`
}

/** Tells `planned_shape` which table is meant. Is true. */
const NAMES_RELATION: Sql = sql`(case
      when current_setting('rowtap.relation', true) = tg_relid::text then true
      else set_config('rowtap.relation', tg_relid::text, false) is not null
    end)`

const COLUMNS: Sql = sql`root, shape, operation, first, level, inserted, updated, deleted, old, new`
const VALUES: Sql = sql`tg_relid, chosen, operation, 0, depth, inserted, updated, deleted, old_text, new_text`

/**
 * Captures a statement that wrote one row, if nothing is out of the ordinary: the table's shape is known, values are printed
 * as they are to be under the writer's settings, the row is small. What follows (up to an `end if`) captures any other.
 * In other transactions than READ COMMITTED ones nothing is planned that depends on the shape: see `planned_shape`.
 */
export function captureOneRow(part: OneRowPart): Sql {
  return sql`
  begin
    if current_setting('transaction_isolation') <> 'read committed' then
      way := -2;
    elsif ${NAMES_RELATION} and tg_op = 'INSERT' then${look('insert', part)}
    elsif tg_op = 'UPDATE' then${look('update', part)}
    else${look('delete', part)}
    end if;
  exception when others then
    -- PostgreSQL makes no text of more than 1 GB, and fails: the writer must not.
    way := -2;
  end;
  if way = 0 then${insertIntoTable(1, COLUMNS, VALUES)}
  elsif way = 2 then${insertIntoTable(2, COLUMNS, VALUES)}
  elsif way = 4 then${insertIntoTable(3, COLUMNS, VALUES)}
  elsif way > 0 then
    if way = 8 then${FIND_DEPTH}
    end if;${insertIntoQueue(COLUMNS, VALUES)}${WAKE_READERS}
  elsif way < 0 then
    if way = -1 and chosen is null and pg_partition_root(tg_relid) is null
      and ${SCHEMA}.committed_shape(tg_relid) is not null
    then
      -- This session has planned when the shape was not known, and would come here with each statement.
      discard plans;
    end if;`
}

/** Ends what `captureOneRow` has begun, and the function. */
export const END_CAPTURE: Sql = sql`
  end if;
  -- What it returns is ignored. Of all that returns nothing, this is made ready quickest.
  return new;`
