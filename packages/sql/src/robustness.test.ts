import { RowtapError } from '@rowtap/core'
import type { SqlTextPlace } from './sql-text-error.ts'
import fc from 'fast-check'
import assert from 'node:assert/strict'
import { test } from 'vitest'
import { parseCondition } from './parse-condition.ts'

const WORDS =
  `a b é "C" 1 -5 0.5 'x' '😀' $1 $2 = <> < and or not in between like is null true ( ) [ ] , ; -- /* */ any all array
  :: int date cast as select union from where order by limit for read only case when then end collate at time zone
  now() lower(a) escape + - * ~ . * row distinct symmetric unknown values table with exists ' " \\ $$ E'\\n' interval`.split(
    /\s+/u,
  )

test('whatever the text, it is a condition or is refused with a place in it', { timeout: 60_000 }, async () => {
  const soup = fc
    .array(fc.constantFrom(...WORDS), { maxLength: 14 })
    .chain((words) => fc.constantFrom(' ', '\n', '').map((space) => words.join(space)))
  let accepted = 0
  await fc.assert(
    fc.asyncProperty(fc.oneof({ weight: 5, arbitrary: soup }, fc.string({ unit: 'binary' })), async (text) => {
      try {
        await parseCondition(text, [1, 2])
        accepted++
      } catch (error) {
        assert.ok(RowtapError.is(error, 'ERR_INVALID_OPTIONS'), String(error))
        assertPlace(error.cause, text)
      }
    }),
    { numRuns: 3_000, examples: [['a = $1 and b = $2']] },
  )
  assert.ok(accepted > 0)
})

function assertPlace(cause: unknown, text: string): void {
  assert.ok(isPlace(cause), 'The parser failed.')
  assert.equal(cause.text, text)
  assert.ok(cause.offset >= 0 && cause.offset <= text.length)
  assert.equal(text.slice(0, cause.offset).split('\n').length, cause.line)
}

function isPlace(value: unknown): value is SqlTextPlace {
  return typeof value === 'object' && value !== null && 'offset' in value && 'line' in value && 'text' in value
}
