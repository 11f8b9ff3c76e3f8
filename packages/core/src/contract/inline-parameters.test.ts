import { expect, test } from 'vitest'
import { inlineParameters } from './inline-parameters.ts'

test('parameters become literals that mean the same', () => {
  const values = [`it's`, 7, true, null, ['1', 'a"b\\c'], '$1', 'back\\slash', 8, 9, 'ten']
  expect(inlineParameters('$1 $2 $3 $4 $5 $6 $7 $10 $11', values)).toBe(
    String.raw`'it''s' 7 true NULL E'{"1","a\\"b\\\\c"}' '$1' E'back\\slash' 'ten' $11`,
  )
})
