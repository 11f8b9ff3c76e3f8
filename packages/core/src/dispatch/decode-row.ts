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
  const { relation } = change
  const row: Row = {}
  let unavailable: string[] | null = null
  let parsing: RelationColumn | null = null
  try {
    for (const { name, index } of columns) {
      const column = relation.columns[index]
      const text = tuple.text(index)
      if (text === undefined) {
        unavailable ??= []
        unavailable.push(name)
        continue
      }
      let value: unknown = text
      if (text !== null && column !== undefined) {
        parsing = column
        value = column.parse(text)
        parsing = null
      }
      if (name === '__proto__') {
        Object.defineProperty(row, name, { value, enumerable: true, writable: true, configurable: true })
      } else {
        row[name] = value
      }
    }
  } catch (cause) {
    // One for all columns: a function with a `try` of its own for each costs as much as most parsers do.
    throw parsing === null ? cause : parserFailed(change, parsing, cause)
  }
  return { row, unavailable: unavailable ?? NONE }
}

function parserFailed(change: Change, column: RelationColumn, cause: unknown): RowtapError {
  return new RowtapError('ERR_DECODE', {
    message: `The parser of type ${column.typeName} failed on column ${JSON.stringify(column.name)} of table ${formatTableName(change.relation)}, at position ${change.position}.`,
    cause,
    eventId: change.id,
  })
}
