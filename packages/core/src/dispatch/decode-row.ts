import type { Change } from '../contract/driver.ts'
import type { RelationColumn, Tuple } from '../contract/relation.ts'
import { formatTableName } from '../contract/table-name.ts'
import type { Row } from '../event.ts'
import { RowtapError } from '../rowtap-error.ts'
import type { ProjectedColumn } from './projection.ts'
import type { DecodedRow } from './routed-change.ts'

const NONE: readonly never[] = Object.freeze([])

/**
 * Builds a row's object. Columns that were not sent are left out of it, and named.
 *
 * @throws RowtapError ERR_DECODE where a value cannot be parsed.
 */
export function decodeRow(change: Change, tuple: Tuple, columns: readonly ProjectedColumn[]): DecodedRow {
  const row: Row = {}
  let unavailable: string[] | null = null
  for (const { name, index } of columns) {
    const text = tuple.text(index)
    if (text === undefined) {
      unavailable ??= []
      unavailable.push(name)
      continue
    }
    const value = text === null ? null : parse(change, index, text)
    if (name === '__proto__') {
      Object.defineProperty(row, name, { value, enumerable: true, writable: true, configurable: true })
    } else {
      row[name] = value
    }
  }
  return { row, unavailable: unavailable ?? NONE }
}

function parse(change: Change, index: number, text: string): unknown {
  const column = change.relation.columns[index]
  if (column === undefined) return text
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
