import { RowtapError } from '@rowtap/core'
import assert from 'node:assert/strict'

/** What an error says: its sentence, and the line of the text with the caret under it. */
export interface Refusal {
  readonly sentence: string
  readonly line: string
  readonly caret: string
  readonly cause: unknown
}

/** The refusal that a promise ends with; anything else fails. */
export async function refusalOf(parsing: Promise<unknown>): Promise<Refusal> {
  try {
    await parsing
  } catch (error) {
    assert.ok(RowtapError.is(error, 'ERR_INVALID_OPTIONS'), String(error))
    const [sentence = '', line = '', caret = '', ...more] = error.message.split('\n')
    assert.deepEqual(more, [])
    return { sentence, line, caret, cause: error.cause }
  }
  return assert.fail('It was accepted.')
}
