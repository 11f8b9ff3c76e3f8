import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { ColumnBound } from '../../conditions/bounded-columns.ts'
import type { BaseType } from '../../conditions/column-type.ts'
import { orderFunction } from '../../conditions/index-key.ts'
import type { ValueOrder } from '../../conditions/ordered-value.ts'
import { valueOrder } from '../../conditions/ordered-value.ts'
import { UNKNOWN } from './found.ts'
import type { IntervalPlacement } from './interval-index.ts'
import { IntervalIndex } from './interval-index.ts'

interface Range {
  readonly lower: ColumnBound | null
  readonly upper: ColumnBound | null
}

/** Values of each kind of order: known as numbers, known as numbers but for some, and not known as numbers. */
const VALUES: Readonly<Record<string, readonly string[]>> = {
  int4: ['-2147483648', '-10', '-1', '0', '1', '2', '9', '10', '11', '2147483647'],
  int8: ['-9007199254740993', '0', '9007199254740992', '9007199254740993', '9007199254740994', '9223372036854775807'],
  numeric: ['-Infinity', '-1.5', '-1.50', '0', '0.00', '0.1', '1', '1.0', '9'.repeat(400), 'Infinity', 'NaN'],
  float8: ['-Infinity', '-1e+300', '-0', '0', '1e-320', '0.1', '1', '1e+300', 'Infinity', 'NaN'],
  date: [
    '-infinity',
    '0044-03-15 BC',
    '0001-01-01',
    '1999-12-31',
    '2000-01-01',
    '9999-12-31',
    '12026-01-01',
    'infinity',
  ],
  timestamp: [
    '-infinity',
    '0044-03-15 00:00:00 BC',
    '2026-01-01 00:00:00',
    '2026-01-01 00:00:00.000001',
    '2026-01-01 00:00:00.5',
    '2026-01-01 00:00:01',
    '12026-01-01 00:00:00',
    'infinity',
  ],
  timestamptz: [
    '-infinity',
    '2026-01-01 00:00:00+00',
    '2026-01-01 01:00:00+02',
    '2026-01-01 00:00:00.5+00',
    'infinity',
  ],
  text: ['', 'A', 'a', 'ab', 'b', '\u{e000}', '\u{1f600}'],
}

function orderOf(name: string): { readonly order: ValueOrder; compare: (left: string, right: string) => number } {
  const collation = name === 'text' ? ({ name: 'C', order: 'code point', asciiCase: true } as const) : null
  const type: BaseType = { kind: 'base', name, displayName: name, castName: `"pg_catalog"."${name}"`, collation }
  const order = valueOrder(type)
  const compare = orderFunction(type)
  if (order === null || compare === null) throw new Error(`${name} has no order.`)
  return { order, compare }
}

/** What the index is to find, found without one. */
function isInside({ lower, upper }: Range, value: string, compare: (left: string, right: string) => number): boolean {
  const low = lower === null ? 1 : compare(value, lower.text)
  const high = upper === null ? -1 : compare(value, upper.text)
  return (
    (low > 0 || (low === 0 && lower?.inclusive === true)) && (high < 0 || (high === 0 && upper?.inclusive === true))
  )
}

function found(index: IntervalIndex<Range>, text: string | null | undefined): readonly Range[] {
  const members: Range[] = []
  index.visit(text, (member) => members.push(member), UNKNOWN)
  return members
}

function bound(values: readonly string[]): fc.Arbitrary<ColumnBound | null> {
  return fc.option(fc.record({ text: fc.constantFrom(...values), inclusive: fc.boolean() }), { nil: null, freq: 4 })
}

type Step =
  | { readonly kind: 'attach'; readonly ranges: readonly Range[] }
  | { readonly kind: 'detach'; readonly which: readonly number[] }
  | { readonly kind: 'visit'; readonly value: string | null | undefined }

/** Attaching and detaching of few and of more than are looked at one by one, and visits in between. */
function stepOf(values: readonly string[]): fc.Arbitrary<Step> {
  const range = fc.record({ lower: bound(values), upper: bound(values) })
  const value = fc.constantFrom(...values, null, undefined)
  return fc.oneof(
    fc.record({ kind: fc.constant('attach' as const), ranges: fc.array(range, { minLength: 1, maxLength: 8 }) }),
    fc.record({ kind: fc.constant('attach' as const), ranges: fc.array(range, { minLength: 40, maxLength: 80 }) }),
    fc.record({ kind: fc.constant('detach' as const), which: fc.array(fc.nat(), { maxLength: 120 }) }),
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('visit' as const), value }) },
  )
}

for (const [name, values] of Object.entries(VALUES)) {
  test(`finds exactly the intervals of ${name} that hold a value, each once, as members come and go`, () => {
    const { order, compare } = orderOf(name)
    fc.assert(
      fc.property(fc.array(stepOf(values), { maxLength: 25 }), (steps) => {
        const index = new IntervalIndex<Range>(order)
        const there: IntervalPlacement<Range>[] = []
        const check = (value: string | null | undefined): void => {
          const members = there.map(({ member }) => member)
          const wanted = members.filter(
            (range) => value !== null && (value === undefined || isInside(range, value, compare)),
          )
          const actual = found(index, value)
          expect(actual.length).toBe(wanted.length)
          expect(new Set(actual)).toEqual(new Set(wanted))
        }
        for (const step of steps) {
          if (step.kind === 'attach') {
            // An object of its own for each: that two have the same interval must not make them one.
            for (const range of step.ranges) there.push(index.add({ ...range }, range))
          } else if (step.kind === 'visit') {
            check(step.value)
          } else {
            for (const which of step.which) there.splice(which % Math.max(1, there.length), 1)[0]?.remove()
          }
          expect(index.isEmpty).toBe(there.length === 0)
        }
        for (const value of values) check(value)
        for (const placement of there) placement.remove()
        expect(index.isEmpty).toBe(true)
        expect(found(index, undefined)).toEqual([])
      }),
      { numRuns: 60 },
    )
  })
}

test('a member that is removed twice takes no other with it', () => {
  const index = new IntervalIndex<Range>(orderOf('int4').order)
  const all = { lower: null, upper: null }
  const first = index.add(all, all)
  const second = { ...all }
  index.add(second, all)
  first.remove()
  first.remove()
  expect(found(index, '1')).toEqual([second])
})

const COUNT = 10_000

function interval(low: number, high: number): Range {
  return { lower: { text: String(low), inclusive: true }, upper: { text: String(high), inclusive: true } }
}

describe.each<[string, (n: number) => Range, number]>([
  ['side by side', (n) => interval(10 * n, 10 * n + 9), 42],
  ['nested', (n) => interval(n, 3 * COUNT - n), 1],
  ['that overlap ten others', (n) => interval(n, n + 9), 5],
  ['without an upper end', (n) => ({ lower: { text: String(n), inclusive: false }, upper: null }), 2],
  ['all the same', () => interval(5, 6), 7],
])('ten thousand intervals %s', (_, rangeOf, wantedByFew) => {
  const { order } = orderOf('int4')
  const ranges = Array.from({ length: COUNT }, (_each, n) => rangeOf(n))

  test('are found as if each were asked, also when every second one has gone, and come again', () => {
    const index = new IntervalIndex<Range>(order)
    const check = (all: readonly Range[]): void => {
      for (const value of [-1, 0, 1, 5, 42, COUNT / 2, COUNT - 1, COUNT, 3 * COUNT - 7, 10 * COUNT]) {
        const actual = found(index, String(value))
        const wanted = all.filter((range) =>
          isInside(range, String(value), (left, right) => Number(left) - Number(right)),
        )
        expect(actual.length).toBe(wanted.length)
        expect(new Set(actual)).toEqual(new Set(wanted))
      }
    }
    const odd = ranges.filter((_range, at) => at % 2 === 1).map((range) => index.add(range, range))
    const even = ranges.filter((_range, at) => at % 2 === 0)
    const attached = even.map((range) => index.add(range, range))
    check(ranges)
    for (const placement of attached) placement.remove()
    check(odd.map(({ member }) => member))
    const again = even.map((range) => index.add(range, range))
    check(ranges)
    for (const placement of [...odd, ...again]) placement.remove()
    expect(index.isEmpty).toBe(true)
    expect(found(index, undefined)).toEqual([])
  })

  test('cost a visit that finds few of them about as much as a hundred do', () => {
    // It would be a hundred times as much if each were asked.
    const few = visitCpuUs(indexOf(order, ranges.slice(0, 100)), wantedByFew)
    expect(visitCpuUs(indexOf(order, ranges), wantedByFew)).toBeLessThan(10 * few)
  })
})

function indexOf(order: ValueOrder, ranges: readonly Range[]): IntervalIndex<Range> {
  const index = new IntervalIndex<Range>(order)
  for (const range of ranges) index.add(range, range)
  return index
}

/** The least of several measurements: the one that nothing disturbed. */
function visitCpuUs(index: IntervalIndex<Range>, value: number): number {
  const rounds = Array.from({ length: 7 }, () => {
    const start = process.cpuUsage()
    for (let visit = 0; visit < 3000; visit++) found(index, String(value))
    const { user, system } = process.cpuUsage(start)
    return user + system
  })
  return Math.min(...rounds)
}

test('members that are gone cost a visit nothing, also while the tree is not made again', () => {
  const { order } = orderOf('int4')
  const others = Array.from({ length: COUNT }, (_each, n) => interval(10 * n + 10, 10 * n + 19))
  const index = indexOf(order, others)
  const gone = Array.from({ length: COUNT - 100 }, () => interval(5, 6)).map((range) => index.add(range, range))
  expect(found(index, '5')).toHaveLength(gone.length)
  for (const placement of gone) placement.remove()
  expect(found(index, '5')).toEqual([])
  expect(visitCpuUs(index, 5)).toBeLessThan(10 * visitCpuUs(indexOf(order, others), 5))
})

test('a value whose number is not known is compared with as many ends as it takes to halve them', () => {
  let compared = 0
  const order: ValueOrder = {
    approximate: () => Number.NaN,
    compareTo: (constant) => (text) => {
      compared += 1
      return Number(text) - Number(constant)
    },
  }
  const ranges = Array.from({ length: COUNT }, (_each, n) => interval(2 * n, 2 * n + 1))
  const index = indexOf(order, ranges)
  found(index, '0')
  compared = 0
  expect(found(index, '777')).toHaveLength(1)
  expect(compared).toBeLessThanOrEqual(Math.ceil(Math.log2(2 * COUNT)))
})
