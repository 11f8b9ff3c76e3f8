import fc from 'fast-check'
import pg from 'pg'
import { describe, expect, test } from 'vitest'
import type { Parser } from './quick-parser.ts'
import { quickParser } from './quick-parser.ts'

/** The value by way of a part of a text, as rows have it: what is around it must not matter. */
function partly(parser: Parser, text: string): unknown {
  const around = ['', '2026-01-31 12:34:56.123456+00', '-7', '0']
  const values = around.map((other) =>
    parser.parsePart?.(other + text + other, other.length, other.length + text.length),
  )
  for (const value of values) expect(value).toEqual(parser.parse(text))
  return parser.parse(text)
}

const TYPES = [
  ['timestamp', 1114, ''],
  ['timestamptz', 1184, '+00'],
] as const

describe.each(TYPES)('%s', (_, oid, zone) => {
  const parser: (text: string) => unknown = pg.types.getTypeParser(oid, 'text')
  const known = quickParser(oid, parser)
  const quick = (text: string): unknown => partly(known, text)

  // Where this fails, `pg` parses times in another way: see whether the quick way is still the same, and note its source.
  test("pg's own parser is known", () => {
    expect(known.parse).not.toBe(parser)
  })

  test("any other is left alone, and so is pg's own of another type", () => {
    const own = (text: string): unknown => new Date(text)
    expect(quickParser(oid, own)).toEqual({ parse: own })
    expect(quickParser(1082, parser)).toEqual({ parse: parser })
  })

  test('times of any year and precision are the same', () => {
    const two = (most: number): fc.Arbitrary<string> => fc.nat(most).map((number) => String(number).padStart(2, '0'))
    const fraction = fc.oneof(
      fc.constant(''),
      fc.array(fc.nat(9), { minLength: 1, maxLength: 6 }).map((digits) => `.${digits.join('')}`),
    )
    const year = fc.oneof(fc.integer({ min: 1000, max: 9999 }), fc.nat(99_999)).map((y) => String(y).padStart(4, '0'))
    const era = fc.constantFrom('', '', '', ' BC')
    const time = fc.tuple(year, two(13), two(32), two(24), two(60), two(60), fraction, era)
    fc.assert(
      fc.property(time, ([y, month, day, hour, minute, second, part, bc]) => {
        const text = `${y}-${month}-${day} ${hour}:${minute}:${second}${part}${zone}${bc}`
        expect(quick(text)).toEqual(parser(text))
      }),
      { numRuns: 5000 },
    )
  })

  test.each([
    'infinity',
    '-infinity',
    `0044-03-15 12:00:00${zone} BC`,
    `12026-01-01 00:00:00${zone}`,
    '2026-01-01 00:00:00+05:30',
    '2026-01-01 00:00:00.5-08',
    '2026-01-01',
    `2026-01-01 00:00:00.${zone}`,
    `2026-01-01 00:00:00.1234567${zone}`,
    `2026-01-0x 00:00:00${zone}`,
    `2026/01/01 00:00:00${zone}`,
    zone,
    '',
  ])('what is not of the usual form is the same: %s', (text) => {
    expect(quick(text)).toEqual(parser(text))
  })
})

describe.each([
  ['int2', 21],
  ['int4', 23],
  ['oid', 26],
] as const)('%s', (_, oid) => {
  const parser: (text: string) => unknown = pg.types.getTypeParser(oid, 'text')
  const known = quickParser(oid, parser)
  const quick = (text: string): unknown => partly(known, text)

  test("pg's own parser is known", () => {
    expect(known.parse).not.toBe(parser)
  })

  test('numbers are the same', () => {
    const texts = fc.oneof(
      fc.integer({ min: -(2 ** 31), max: 2 ** 32 - 1 }).map(String),
      fc.constantFrom('0', '-0', '-', '', '1e3', '0x10', '12 ', '1234567890123'),
    )
    fc.assert(
      fc.property(texts, (text) => {
        expect(quick(text)).toBe(parser(text))
      }),
      { numRuns: 2000 },
    )
  })
})

test('what pg does not parse is the text', () => {
  for (const oid of [25, 1043, 1700, 2950]) {
    const parser: (text: string) => unknown = pg.types.getTypeParser(oid, 'text')
    const quick = quickParser(oid, parser).parse
    expect(quick).not.toBe(parser)
    expect(quick('12.50')).toBe('12.50')
  }
})
