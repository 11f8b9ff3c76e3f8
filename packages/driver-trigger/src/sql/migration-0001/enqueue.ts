import { QUEUE_SEQ_LITERAL, SCHEMA, SCHEMA_LITERAL, SLEEP_LITERAL, sql, STATE_LITERAL } from '../sql.ts'
import type { Sql } from '../sql.ts'

/**
 * PL/pgSQL that writes into the table of the queue that is being filled: `columns` of it, besides xid and seq, and their
 * `values`; the variable `state` says which. Each table has a statement of its own, so that a writer locks none but the one.
 */
export function insertIntoQueue(columns: Sql, values: Sql): Sql {
  return sql`
    case ${FILLED_TABLE}
    when 0 then${insertIntoTable(1, columns, values)}
    when 1 then${insertIntoTable(2, columns, values)}
    else${insertIntoTable(3, columns, values)}
    end case;`
}

/** The same, into one of the tables. */
export function insertIntoTable(table: 1 | 2 | 3, columns: Sql, values: Sql): Sql {
  return sql`
      insert into ${SCHEMA}.queue_${() => String(table)} (xid, seq, ${columns})
      values (pg_current_xact_id(), nextval(${QUEUE_SEQ_LITERAL}::regclass), ${values});`
}

/** PL/pgSQL: the table of the queue that is being filled (0, 1, 2), says `state`. */
export const FILLED_TABLE: Sql = sql`(state >> 1) & 3`

/** PL/pgSQL: what writers are told, for a variable `state`. */
export const READ_STATE: Sql = sql`coalesce(pg_sequence_last_value(${STATE_LITERAL}::regclass), 0)`

/** PL/pgSQL: whether, says `state`, nobody reads, or has for long. */
export const NOBODY_READS: Sql = sql`state >> 3 < date_part('epoch', clock_timestamp())`

/** PL/pgSQL: whether the table is a partition whose rows are captured for a table above it. */
export const IS_HANDED_DOWN: Sql = sql`(
    pg_partition_root(tg_relid) is not null and ${SCHEMA}.captured_top(tg_relid) <> tg_relid
  )`

/** How full the server's queue of notifications may be, for one of ours to be sent: half full. */
export const MOST_NOTIFICATIONS: number = 0.5

/** PL/pgSQL that wakes readers, if the variable `state` says so, after something was written into the queue. */
export const WAKE_READERS: Sql = sql`
    -- NOTIFY costs every writer a lock at commit, so it is sent only while a reader sleeps; and it would make a
    -- PREPARE TRANSACTION fail, so it is not sent where there can be one. Nor is it where those of others pile up: what
    -- does not fit any more would make the commit fail.
    if state & 1 = 1 and current_setting('max_prepared_transactions') = '0'
      and pg_sequence_last_value(${SLEEP_LITERAL}::regclass) >= extract(epoch from clock_timestamp())
      and pg_notification_queue_usage() < ${() => String(MOST_NOTIFICATIONS)}
    then
      perform pg_notify(${SCHEMA_LITERAL}, '');
    end if;`
