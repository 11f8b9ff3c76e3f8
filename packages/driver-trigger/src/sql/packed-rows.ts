import { sql } from './sql.ts'
import type { Sql } from './sql.ts'

/** What the last number of a line of `heads` says of a row of the queue. */
export const PACKED = {
  hasOld: 1,
  hasNew: 2,
  /** Nobody wants any of its changes: its texts are left out. */
  isUnwanted: 4,
  /** A statement trigger wrote it. */
  isOfStatement: 8,
  /** A row trigger may have captured it before one that it follows. */
  isLate: 16,
} as const

const flag = (value: number): Sql => sql`${() => String(value)}`

const IS_UNWANTED: Sql = sql`(q.old is not null and q.old = '.' or q.new is not null and q.new = '.')`

/** The least that a row of the queue weighs, whatever its texts. */
const ROW_WEIGHT = 100

/** About how much memory a row `q` of the queue takes once it is read, in bytes. */
export const WEIGHT: Sql = sql`
  (${() => String(ROW_WEIGHT)} + coalesce(pg_catalog.octet_length(q.old), 0) + coalesce(pg_catalog.octet_length(q.new), 0))`

/**
 * The columns heads, olds and news, in which rows `q` of the queue are sent in one piece: a message for each row, with its columns,
 * costs both sides many times as much. `heads` has a line for each row; `olds` and `news` have the rows of all changes.
 *
 * @param withTime a parameter: whether to tell when each transaction committed, too.
 */
export function packRows(withTime: Sql): Sql {
  return sql`
  pg_catalog.string_agg(
    pg_catalog.concat_ws(
      ' ', q.xid, q.seq, q.root, q.shape, q.operation, q.rows,
      case when q.old is null then 0 else ${flag(PACKED.hasOld)} end
        + case when q.new is null then 0 else ${flag(PACKED.hasNew)} end
        + case when ${IS_UNWANTED} then ${flag(PACKED.isUnwanted)} else 0 end
        + case when q.inserted is null then 0 else ${flag(PACKED.isOfStatement)} end
        + case when q.new_place is null then 0 else ${flag(PACKED.isLate)} end,
      case when ${withTime} then pg_catalog.pg_xact_commit_timestamp(q.xid::xid)::text end
    ),
    E'\\n'
  ) as heads,
  pg_catalog.string_agg(case when ${IS_UNWANTED} then null else q.old end, E'\\n') as olds,
  pg_catalog.string_agg(case when ${IS_UNWANTED} then null else q.new end, E'\\n') as news`
}

/** The columns of a row `q` of the queue that `packRows` takes. */
export const PACKED_COLUMNS: Sql = sql`
  q.xid, q.seq, q.root, q.shape, q.operation, q.rows, q.inserted, q.new_place, q.old, q.new`
