import type { TablePushdown } from '@rowtap/core/driver'
import type { WalDriverOptions } from '../wal-driver-options.ts'
import { kindOf } from './publication-plan.ts'
import type { TablePart } from './table-capture.ts'

const FIRST_VERSION = 150_000

/** Whether tables are to be published in part, and whether the server knows how. */
export interface PushdownSetting {
  readonly isOn: boolean
  readonly isAble: boolean
}

/** What the options ask for on a server of this version, as `server_version_num` has it. */
export function pushdownSetting({ pushdown }: WalDriverOptions, version: number): PushdownSetting {
  return { isOn: pushdown === 'inserts', isAble: version >= FIRST_VERSION }
}

/** What the server leaves out of tables, and why it does not leave out more. */
export function explainPushdown(
  parts: readonly TablePart[],
  { isOn, isAble }: PushdownSetting,
): readonly TablePushdown[] {
  return parts.map((one) => ({
    table: one.request.table,
    rows: one.part.rows !== null,
    columns: one.part.columns !== null,
    why: isOn ? reasonFor(one, isAble) : null,
  }))
}

function reasonFor({ request, part, isWhole }: TablePart, isAble: boolean): string | null {
  if (!isAble) return `With pushdown: 'inserts' PostgreSQL would do it from version 15 on.`
  if (kindOf(request) === 'all') {
    return `With pushdown: 'inserts' PostgreSQL leaves out nothing of a table of which updates or deletes are wanted: with a filter or a list it could refuse the application's own.`
  }
  if (isWhole) {
    return `With pushdown: 'inserts' PostgreSQL would leave something out, had this client not wanted updates or deletes of the table before.`
  }
  if (part.rows === null && request.where !== null) {
    return `With pushdown: 'inserts' PostgreSQL tests at most 32 conditions of a table, no patterns, and columns of its simple types only.`
  }
  if (part.rows === null && part.columns === null) return `Some listener of the table wants every row and every column.`
  return null
}
