import type { Position, TableName } from '@rowtap/core/driver'
import { formatTableName } from '@rowtap/core/driver'
import type { CapturedPart } from '../install/captured-part.ts'
import type { GapNotice } from './consumer-state.ts'

/** A table that a subscription has captured. */
export interface WantedTable {
  readonly oid: string
  /** Its name by now; `null`: it was dropped. */
  readonly schema: string | null
  readonly name: string | null
  /** Which part of it is captured; `null`: all. */
  readonly part: CapturedPart | null
  /** Whether transactions may be open that are captured for less. */
  readonly isInDoubt: boolean
  /** The name that it was asked for by; `null` where that is not known. */
  readonly askedSchema: string | null
  readonly askedName: string | null
  /** Whether another table has that name by now. */
  readonly isReplaced: boolean
}

/** What is missing of tables that were dropped, or whose names others came to have, while no client ran; `null`: nothing. */
export function gapOfTables(lost: readonly WantedTable[], from: Position): GapNotice | null {
  if (lost.length === 0) return null
  const asked = lost.map(askedFor)
  const tables = asked.filter((table) => table !== null)
  const reason = lost.map((table, index) => whatIsMissing(table, asked[index] ?? null)).join(' ')
  return { kind: 'gap', from, to: null, ...(tables.length === asked.length ? { tables } : {}), reason }
}

function askedFor({ askedSchema, askedName }: WantedTable): TableName | null {
  return askedSchema === null || askedName === null ? null : { schema: askedSchema, name: askedName }
}

function whatIsMissing({ schema, name, isReplaced }: WantedTable, asked: TableName | null): string {
  const title =
    asked === null ? 'A table that the subscription captured' : `The captured table ${formatTableName(asked)}`
  const isAnother =
    asked === null
      ? ''
      : `${formatTableName(asked)} is another table by now, whose changes until it is captured are missed.`
  if (schema !== null && name !== null) {
    return `${title} has come to be called ${formatTableName({ schema, name })} while no client ran, and its changes are delivered by that name. ${isAnother}`
  }
  const dropped = `${title} was dropped while no client ran: what was not handled of its changes is missed.`
  return isReplaced ? `${dropped} ${isAnother}` : dropped
}
