import { RowtapError } from '@rowtap/core/driver'
import { expect, test } from 'vitest'
import { splitRows } from './row-block.ts'

const rows = ['(1,a)', '(2,"a ""b"" \n(x),")', '-', '(,"")', '("\\\\",")\n(")', '()', '("""")', '(3,c)']

test('a block is split into its rows, whatever is in their fields', () => {
  for (let first = 0; first < rows.length; first += 1) {
    for (let last = first + 1; last <= rows.length; last += 1) {
      const some = rows.slice(first, last)
      expect(splitRows(some.join('\n'), some.length)).toEqual(some)
    }
  }
})

test.each([
  ['(1,a)\n(2,b)', 3],
  ['(1,a)\n(2,b)\n(3,c)', 2],
  ['(1,a)\n(2,"b', 2],
  ['(1,a)(2,b)', 2],
])('%j is not a block of %i rows', (block, count) => {
  expect(() => splitRows(block, count)).toThrow(RowtapError)
})
