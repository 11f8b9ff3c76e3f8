import { RowtapError } from '@rowtap/core'

/** A place in an SQL text: the `cause` of the error that points there. */
export interface SqlTextPlace {
  /** The text, with `$1` where a value is bound. */
  readonly text: string
  /** The index in `text` (in UTF-16 units, as JavaScript counts). */
  readonly offset: number
  /** The line, counted from 1. */
  readonly line: number
  /** The character of the line, counted from 1. */
  readonly column: number
}

/** How much of a long line is shown on either side of the place. */
const CONTEXT = 60

/** An ERR_INVALID_OPTIONS with the sentence, and under it the line of the text with a caret at the place. */
export function sqlTextError(sentence: string, text: string, offset: number): RowtapError {
  const before = text.slice(0, offset)
  const lineStart = before.lastIndexOf('\n') + 1
  const lineEnd = text.indexOf('\n', offset)
  const column = Array.from(before.slice(lineStart)).length + 1
  const characters = Array.from(text.slice(lineStart, lineEnd === -1 ? undefined : lineEnd))
  const first = Math.max(0, column - 1 - CONTEXT)
  const last = Math.min(characters.length, column - 1 + CONTEXT)
  const shown = characters.slice(first, last).join('').replaceAll(/\s/gu, ' ').trimEnd()
  const cut = first > 0 ? '…' : ''
  const caret = `${' '.repeat(column - 1 - first + cut.length)}^`
  const place: SqlTextPlace = { text, offset, line: before.split('\n').length, column }
  return new RowtapError('ERR_INVALID_OPTIONS', {
    message: `${sentence}\n  ${cut}${shown}${last < characters.length ? '…' : ''}\n  ${caret}`,
    cause: place,
  })
}
