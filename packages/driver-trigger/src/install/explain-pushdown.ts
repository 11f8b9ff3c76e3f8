import type { CaptureRequest, TableName, TablePushdown } from '@rowtap/core/driver'
import type { ShapeContent } from '../catalog/shape.ts'
import type { Queries } from '../connection/connection.ts'
import { FIND_CAPTURE_FUNCTION, FIND_CONTENT, FIND_PARTS } from '../sql/filter-statements.ts'
import type { FoundInstallation } from '../sql/install-statements.ts'
import { FIND_INSTALLATION, PARTITION_TREE } from '../sql/install-statements.ts'
import type { ResolvedTriggerOptions } from '../trigger-options.ts'
import type { CapturedPart } from './captured-part.ts'
import { isWhole, ROW_OPERATIONS, unionOf, WHOLE } from './captured-part.ts'
import type { FoundFunction } from './table-function.ts'
import { ownFunctionName } from './table-function.ts'
import type { CapturableTable } from './triggers.ts'

/** A table that is asked for, and which part of it. */
export interface WantedPart {
  readonly oid: string
  readonly request: CaptureRequest
  readonly part: CapturedPart
}

/**
 * What triggers leave out of tables, and why they do not leave out more.
 *
 * @param consumer the number of who asks; `null` where it has none yet.
 */
export async function explainPushdown(
  queries: Pick<Queries, 'rows'>,
  options: Pick<ResolvedTriggerOptions, 'pushdown' | 'enableAlways'>,
  consumer: string | null,
  tables: readonly WantedPart[],
): Promise<readonly TablePushdown[]> {
  if (options.pushdown === 'off') return tables.map(({ request }) => nothing(request.table, null))
  const [installation] = await queries.rows<FoundInstallation>(FIND_INSTALLATION)
  const isInstalled = installation?.filled === true && installation.usable
  const explained: TablePushdown[] = []
  for (const wanted of tables) {
    const others = isInstalled
      ? await queries.rows<{ part: CapturedPart | null }>(FIND_PARTS, [consumer ?? '0', wanted.oid])
      : []
    const parts = others.map(({ part }) => part ?? WHOLE)
    explained.push(await explainTable(queries, options.enableAlways, wanted, parts))
  }
  return explained
}

async function explainTable(
  queries: Pick<Queries, 'rows'>,
  enableAlways: boolean,
  { oid, request, part }: WantedPart,
  others: readonly CapturedPart[],
): Promise<TablePushdown> {
  const [table] = await queries.rows<CapturableTable>(PARTITION_TREE, [oid])
  const [found] = await queries.rows<FoundFunction>(FIND_CAPTURE_FUNCTION, [ownFunctionName(oid), oid])
  const [known] = await queries.rows<{ content: ShapeContent }>(FIND_CONTENT, [oid])
  if (enableAlways || table?.kind === 'row') return nothing(request.table, BY_ROW)
  if (found?.triggered === true) return nothing(request.table, COMMON)
  const union = known === undefined ? WHOLE : unionOf([part, ...others], known.content)
  return {
    table: request.table,
    rows: union.conditions !== null,
    columns: union.columns !== null,
    why: reasonFor(request, part, union),
  }
}

function nothing(table: TableName, why: string | null): TablePushdown {
  return { table, rows: false, columns: false, why }
}

const BY_ROW = `With pushdown: 'conditions' triggers leave nothing out of a table that is captured row by row: a partitioned one, for example.`
const COMMON = `With pushdown: 'conditions' triggers would leave something out, had they not been made by a client without it: they are as they are until nobody wants the table.`

function reasonFor(request: CaptureRequest, part: CapturedPart, union: CapturedPart): string | null {
  const left = ROW_OPERATIONS.filter((operation) => !union.operations.includes(operation))
  const without = left.length === 0 ? '' : `Its ${left.map((one) => `${one}s`).join(' and ')} are not captured.`
  const why = whyNotMore(request, part, union)
  return [without, why].filter((sentence) => sentence !== '').join(' ') || null
}

function whyNotMore(request: CaptureRequest, part: CapturedPart, union: CapturedPart): string {
  if (union.conditions !== null) return ''
  if (part.conditions === null && request.where !== null && request.where !== undefined) {
    return `With pushdown: 'conditions' triggers test at most 32 conditions of a table, no patterns, and columns of its plain types only.`
  }
  if (part.conditions !== null || (part.columns !== null && union.columns === null)) {
    return `Another client, or a subscription, wants more of the table.`
  }
  return isWhole(part) ? `Some listener of the table wants every row and every column.` : ''
}
