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
export class CompositeTuple implements Tuple {
  readonly #literal: string
  readonly #fields: readonly (number | undefined)[]
  readonly #fieldCount: number
  readonly #values: (string | null)[] = []
  // The place of the separator before the next field to split off: first the opening parenthesis.
  #at = 0

  constructor(literal: string, fields: readonly (number | undefined)[], fieldCount: number) {
    this.#literal = literal
    this.#fields = fields
    this.#fieldCount = fieldCount
  }

  text(index: number): string | null | undefined {
    const field = this.#fields[index]
    if (field === undefined) return undefined
    while (this.#values.length <= field) this.#splitNext()
    return this.#values[field]
  }

  /** The same row in memory of its own: a part of a text keeps the whole text. */
  detach(): CompositeTuple {
    return new CompositeTuple(Buffer.from(this.#literal).toString(), this.#fields, this.#fieldCount)
  }

  #splitNext(): void {
    const literal = this.#literal
    const values = this.#values
    const start = this.#at + 1
    if (literal.charCodeAt(start) === quote) {
      let end = literal.indexOf('"', start + 1)
      let doubled = false
      while (end !== -1 && literal.charCodeAt(end + 1) === quote) {
        doubled = true
        end = literal.indexOf('"', end + 2)
      }
      if (end === -1) throw malformed(values.length)
      const value = literal.slice(start + 1, end)
      values.push(doubled || value.includes('\\') ? undouble(value) : value)
      this.#at = end + 1
    } else {
      let end = literal.indexOf(',', start)
      if (end === -1) end = literal.length - 1
      values.push(end === start ? null : literal.slice(start, end))
      this.#at = end
    }
    const closing = values.length === this.#fieldCount
    if (literal.charCodeAt(this.#at) !== (closing ? parenthesis : comma)) throw malformed(values.length)
  }
}

// A replacement keeps every piece between two matches until it is done: a large value is taken in parts.
const partSize = 65_536

/** Takes back the doubling of quotes and backslashes. */
function undouble(text: string): string {
  const parts: string[] = []
  for (let start = 0; start < text.length;) {
    const end = endOfPart(text, start)
    parts.push(text.slice(start, end).replaceAll('""', '"').replaceAll('\\\\', '\\'))
    start = end
  }
  return parts.join('')
}

/** The end of a part, which cuts no pair in two. */
function endOfPart(text: string, start: number): number {
  const end = start + partSize
  if (end >= text.length) return text.length
  const last = text.charCodeAt(end - 1)
  if (last !== quote && last !== backslash) return end
  let run = end - 1
  while (run > start && text.charCodeAt(run - 1) === last) run -= 1
  return end + ((end - run) % 2)
}

const quote = 0x22
const backslash = 0x5c
const comma = 0x2c
const parenthesis = 0x29

function malformed(field: number): RowtapError {
  return new RowtapError('ERR_DECODE', {
    message: `A captured row cannot be split into columns (at field ${field}): its text does not match the shape that it was recorded with.`,
  })
}
