import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { ColumnBound } from '../../conditions/index-key.ts'
import { UNKNOWN } from './found.ts'
import { IntervalIndex } from './interval-index.ts'

interface Range {
  readonly low: number | null
  readonly high: number | null
}

function bound(value: number | null): ColumnBound | null {
  return value === null ? null : { text: String(value), order: (text) => Number(text) - value }
}

function found(index: IntervalIndex<Range>, text: string | null | undefined): ReadonlySet<Range> {
  const members = new Set<Range>()
  index.visit(text, (member) => members.add(member), UNKNOWN)
  return members
}

const end = fc.option(fc.integer({ min: 0, max: 20 }), { nil: null })

test('finds exactly the intervals that hold a value, as members come and go', () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ low: end, high: end, stays: fc.boolean() }), { maxLength: 60 }),
      fc.integer({ min: -1, max: 21 }),
      (ranges, value) => {
        const index = new IntervalIndex<Range>()
        const removers = ranges.map((range) => index.add(range, { lower: bound(range.low), upper: bound(range.high) }))
        for (const [at, range] of ranges.entries()) if (!range.stays) removers[at]?.()
        const left = ranges.filter(({ stays }) => stays)
        const holding = left.filter(
          ({ low, high }) => (low === null || low <= value) && (high === null || value <= high),
        )
        expect(found(index, String(value))).toEqual(new Set(holding))
        expect(found(index, undefined)).toEqual(new Set(left))
        expect(found(index, null).size).toBe(0)
        expect(index.isEmpty).toBe(left.length === 0)
      },
    ),
    { numRuns: 500 },
  )
})
