import { displayWidth } from './display-width.ts'

/** A place in a text that a condition was read from: the `cause` of an error that points there. */
export interface TextPlace {
  /** The text as it was read. */
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

/** The place at an index of a text. */
export function textPlace(text: string, offset: number): TextPlace {
  const before = text.slice(0, offset)
  const column = Array.from(before.slice(before.lastIndexOf('\n') + 1)).length + 1
  return { text, offset, line: before.split('\n').length, column }
}

/** The sentence, and under it the line of the text with a caret at the place. */
export function pointingAt(sentence: string, { text, offset, column }: TextPlace): string {
  const lineStart = text.slice(0, offset).lastIndexOf('\n') + 1
  const lineEnd = text.indexOf('\n', offset)
  const characters = Array.from(text.slice(lineStart, lineEnd === -1 ? undefined : lineEnd))
  const first = Math.max(0, column - 1 - CONTEXT)
  const last = Math.min(characters.length, column - 1 + CONTEXT)
  const shown = characters.slice(first, last).join('').replaceAll(/\s/gu, ' ').trimEnd()
  const cut = first > 0 ? '…' : ''
  const before = characters
    .slice(first, column - 1)
    .join('')
    .replaceAll(/\s/gu, ' ')
  const caret = `${' '.repeat(displayWidth(before) + cut.length)}^`
  return `${sentence}\n  ${cut}${shown}${last < characters.length ? '…' : ''}\n  ${caret}`
}
