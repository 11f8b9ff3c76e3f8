import type { Change } from '../contract/driver.ts'
import type { RelationColumn, Tuple } from '../contract/relation.ts'
import { formatTableName } from '../contract/table-name.ts'
import type { Row } from '../event.ts'
import { RowtapError } from '../rowtap-error.ts'
import type { ProjectedColumn } from './projection.ts'
import { rowDecoder } from './row-decoder.ts'
import type { DecodedRow } from './routed-change.ts'

const NONE: readonly never[] = Object.freeze([])

/**
 * Builds a row's object. Columns that were not sent are left out of it, and named.
 *
 * @throws RowtapError ERR_DECODE where a value cannot be parsed.
 */
export function decodeRow(change: Change, tuple: Tuple, columns: readonly ProjectedColumn[]): DecodedRow {
  try {
    const row = rowDecoder(change.relation, columns)(tuple)
    if (row !== null) return { row, unavailable: NONE }
  } catch {
    // Column by column it is found out which one it was.
  }
  return decodeColumns(change, tuple, columns)
}

function decodeColumns(change: Change, tuple: Tuple, columns: readonly ProjectedColumn[]): DecodedRow {
  const row: Row = {}
  const unavailable: string[] = []
  for (const { name, index } of columns) {
    const column = change.relation.columns[index]
    const value = column === undefined ? undefined : decodeColumn(change, tuple, index, column)
    if (value === undefined && tuple.text(index) === undefined) unavailable.push(name)
    else Object.defineProperty(row, name, { value, enumerable: true, writable: true, configurable: true })
  }
  return { row, unavailable: unavailable.length === 0 ? NONE : unavailable }
}

function decodeColumn(change: Change, tuple: Tuple, index: number, column: RelationColumn): unknown {
  const text = tuple.text(index)
  if (text === null || text === undefined) return text
  try {
    return column.parse(text)
  } catch (cause) {
    throw parserFailed(change, column, cause)
  }
}

function parserFailed(change: Change, column: RelationColumn, cause: unknown): RowtapError {
  return new RowtapError('ERR_DECODE', {
    message: `The parser of type ${column.typeName} failed on column ${JSON.stringify(column.name)} of table ${formatTableName(change.relation)}, at position ${change.position}.`,
    cause,
    eventId: change.id,
  })
}
