import { displayWidth, shorten } from './display-width.ts'

/** Colours a text for a terminal. */
export type Paint = (text: string) => string

/** A piece of a line, and the colour that it has on a terminal. */
export interface LineSegment {
  readonly text: string
  readonly paint?: Paint
}

/** Joins pieces to one line of at most `columns`, cut with `…`; colours do not count. `null`: as long as it is. */
export function joinSegments(segments: readonly LineSegment[], columns: number | null): string {
  let line = ''
  let room = columns ?? Number.POSITIVE_INFINITY
  for (const [index, { text, paint }] of segments.entries()) {
    // The last column is kept for the mark that something was cut, unless nothing follows.
    const more = segments.slice(index + 1).some((segment) => segment.text.trim() !== '')
    const fits = displayWidth(text) <= (more ? room - 1 : room)
    const kept = fits ? text : shorten(`${text} `, room)
    line += paint === undefined ? kept : paint(kept)
    room -= displayWidth(kept)
    if (!fits) break
  }
  return line
}
