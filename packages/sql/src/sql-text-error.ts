import { RowtapError } from '@rowtap/core'
import type { TextPlace } from '@rowtap/core/conditions'
import { pointingAt, textPlace } from '@rowtap/core/conditions'

/** A place in an SQL text, in which `$1` stands where a value is bound: the `cause` of the error that points there. */
export type SqlTextPlace = TextPlace

/** An ERR_INVALID_OPTIONS with the sentence, and under it the line of the text with a caret at the place. */
export function sqlTextError(sentence: string, text: string, offset: number): RowtapError {
  const place: SqlTextPlace = textPlace(text, offset)
  return new RowtapError('ERR_INVALID_OPTIONS', { message: pointingAt(sentence, place), cause: place })
}
