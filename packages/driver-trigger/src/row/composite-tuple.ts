import type { Tuple } from '@rowtap/core/driver'
import { RowtapError } from '@rowtap/core/driver'

/**
 * A row as PostgreSQL's `record_out` prints it: `(1,"a, ""b""",,"")`.
 *
 * Fields are split off as they are asked for, and kept: core reads in ascending order, and may stop early.
 * The rules are those of https://www.postgresql.org/docs/current/rowtypes.html#ROWTYPES-IO-SYNTAX, narrowed to what
 * `record_out` writes: NULL is nothing at all; quotes surround a whole field or none of it; a quote or backslash
 * inside them is doubled.
 */
export function compositeTuple(literal: string, fields: readonly number[], fieldCount: number): Tuple {
  const values: (string | null)[] = []
  // The place of the separator before the next field to split off: first the opening parenthesis.
  let at = 0
  const splitNext = (): void => {
    const start = at + 1
    if (literal.charCodeAt(start) === quote) {
      let end = literal.indexOf('"', start + 1)
      let doubled = false
      while (end !== -1 && literal.charCodeAt(end + 1) === quote) {
        doubled = true
        end = literal.indexOf('"', end + 2)
      }
      if (end === -1) throw malformed(values.length)
      let value = literal.slice(start + 1, end)
      if (doubled) value = value.replaceAll('""', '"')
      if (value.includes('\\')) value = value.replaceAll('\\\\', '\\')
      values.push(value)
      at = end + 1
    } else {
      let end = literal.indexOf(',', start)
      if (end === -1) end = literal.length - 1
      values.push(end === start ? null : literal.slice(start, end))
      at = end
    }
    const closing = values.length === fieldCount
    if (literal.charCodeAt(at) !== (closing ? parenthesis : comma)) throw malformed(values.length)
  }
  return {
    text: (index) => {
      const field = fields[index]
      if (field === undefined) return undefined
      while (values.length <= field) splitNext()
      return values[field]
    },
  }
}

const quote = 0x22
const comma = 0x2c
const parenthesis = 0x29

function malformed(field: number): RowtapError {
  return new RowtapError('ERR_DECODE', {
    message: `A captured row cannot be split into columns (at field ${field}): its text does not match the shape that it was recorded with.`,
  })
}
