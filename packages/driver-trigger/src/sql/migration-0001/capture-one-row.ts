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

/** What differs between operations. */
interface Look {
  readonly operation: 'I' | 'U' | 'D'
  /** The row before and after, as texts. */
  readonly texts: Sql
  /** How long they are. */
  readonly size: Sql
  /** Where they are read from. */
  readonly rows: Sql
  /** The transition table that tells whether there are more rows. */
  readonly table: Sql
  /** How many rows of the table were written by other operations. */
  readonly others: Sql
}

const INSERT: Look = {
  operation: 'I',
  texts: sql`null, textin(record_out(n.*))`,
  size: sql`octet_length(new_text)`,
  rows: sql`new_rows n`,
  table: sql`new_rows`,
  others: sql`updated + deleted`,
}
const UPDATE: Look = {
  operation: 'U',
  texts: sql`textin(record_out(o.*)), textin(record_out(n.*))`,
  size: sql`octet_length(old_text) + octet_length(new_text)`,
  rows: sql`old_rows o cross join new_rows n`,
  table: sql`new_rows`,
  others: sql`inserted + deleted`,
}
const DELETE: Look = {
  operation: 'D',
  texts: sql`textin(record_out(o.*)), null`,
  size: sql`octet_length(old_text)`,
  rows: sql`old_rows o`,
  table: sql`old_rows`,
  others: sql`inserted + updated`,
}

/**
 * Looks at the first row of a statement. Afterwards `way` is null if there is none; -1 if it is not the only one, or something
 * is out of the ordinary; 0, 2 or 4 if there is nothing to do but to write it into the queue's first, second or third table;
 * an odd number if a reader sleeps; 8 if the table was written to by other operations, too.
 */
function look({ operation, texts, size, rows, table, others }: Look): Sql {
  return sql`
      select ${texts}, '${() => operation}'::"char", ${SCHEMA}.planned_shape(),
        case when ${PRINTED_ALIKE} and not exists (select from ${table} offset 1) then ${READ_STATE} end,
        pg_stat_get_xact_tuples_inserted(tg_relid), pg_stat_get_xact_tuples_updated(tg_relid),
        pg_stat_get_xact_tuples_deleted(tg_relid)
      into old_text, new_text, operation, chosen, state, inserted, updated, deleted
      from ${rows}
      limit 1;
      way := case
        when not ${NOBODY_READS} and chosen > 0 and ${size} <= ${() => String(BLOCK_BYTES)}
        then case when ${others} = 0 then state & 7 else 8 end
        when operation is not null then -1
      end;`
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
export const CAPTURE_ONE_ROW: Sql = sql`
  begin
    if current_setting('transaction_isolation') <> 'read committed' then
      way := -1;
    elsif ${NAMES_RELATION} and tg_op = 'INSERT' then${look(INSERT)}
    elsif tg_op = 'UPDATE' then${look(UPDATE)}
    else${look(DELETE)}
    end if;
  exception when others then
    -- PostgreSQL makes no text of more than 1 GB, and fails: the writer must not.
    way := -1;
  end;
  if way = 0 then${insertIntoTable(1, COLUMNS, VALUES)}
  elsif way = 2 then${insertIntoTable(2, COLUMNS, VALUES)}
  elsif way = 4 then${insertIntoTable(3, COLUMNS, VALUES)}
  elsif way > 0 then
    if way = 8 then${FIND_DEPTH}
    end if;${insertIntoQueue(COLUMNS, VALUES)}${WAKE_READERS}
  elsif way < 0 then`
