import pg from 'pg'
import { describe, expect, test } from 'vitest'

import { VALUE_TYPES } from './value-types.ts'

const OID = {
  bool: 16,
  bytea: 17,
  int8: 20,
  int4: 23,
  text: 25,
  json: 114,
  point: 600,
  circle: 718,
  float8: 701,
  int4Array: 1007,
  float8Array: 1022,
  date: 1082,
  timestamptz: 1184,
  timestamptzArray: 1185,
  interval: 1186,
  numeric: 1700,
}

/** What stands in a line of JSON for a value that PostgreSQL prints as `text`. */
function inJson(oid: number, text: string): unknown {
  return JSON.parse(JSON.stringify(VALUE_TYPES.json.getTypeParser(oid, 'text')(text)))
}

describe('values in JSON', () => {
  test.each([
    ['a boolean is a boolean', OID.bool, 't', true],
    ['an integer is a number', OID.int4, '42', 42],
    ['a bigint is a string: a number would lose digits', OID.int8, '9223372036854775807', '9223372036854775807'],
    ['numeric is a string', OID.numeric, '1.10', '1.10'],
    ['text is itself', OID.text, 'a "quoted"\nline', 'a "quoted"\nline'],
    ['a float is a number', OID.float8, '1.5', 1.5],
    ['NaN is a string', OID.float8, 'NaN', 'NaN'],
    ['infinity is a string', OID.float8, '-Infinity', '-Infinity'],
    ['bytes are hexadecimal', OID.bytea, '\\xdeadbeef', '\\xdeadbeef'],
    ['no bytes are hexadecimal, too', OID.bytea, '\\x', '\\x'],
    ['a timestamp is ISO 8601', OID.timestamptz, '2026-11-20 05:19:24.123456+00', '2026-11-20T05:19:24.123Z'],
    ['a date that is infinite is what PostgreSQL prints', OID.timestamptz, 'infinity', 'infinity'],
    ['so is one that JavaScript cannot hold', OID.timestamptz, '294276-12-31 23:59:59+00', '294276-12-31 23:59:59+00'],
    ['an interval is an ISO 8601 duration', OID.interval, '1 day 02:03:04.5', 'P0Y0M1DT2H3M4.5S'],
    ['an array is an array', OID.int4Array, '{1,NULL,3}', [1, null, 3]],
    ['its members follow the same rules', OID.float8Array, '{1,NaN}', [1, 'NaN']],
    ['dates in it, too', OID.timestamptzArray, '{"2026-11-20 05:00:00+00"}', ['2026-11-20T05:00:00.000Z']],
    ['a point is an object', OID.point, '(1,2)', { x: 1, y: 2 }],
    ['a circle is an object', OID.circle, '<(1,2),3>', { x: 1, y: 2, radius: 3 }],
    ['JSON is itself', OID.json, '{"a": [1, null, {"b": "c"}]}', { a: [1, null, { b: 'c' }] }],
    ['a JSON null is null', OID.json, 'null', null],
    ['a type that pg does not know is what PostgreSQL prints', 999_999, '(1,"two")', '(1,"two")'],
  ])('%s', (_, oid, text, expected) => {
    expect(inJson(oid, text)).toEqual(expected)
  })

  test('a member of a JSON object may be named __proto__', () => {
    const line = JSON.stringify(VALUE_TYPES.json.getTypeParser(OID.json)('{"__proto__": {"a": 1}, "toJSON": 2}'))
    expect(line).toBe('{"__proto__":{"a":1},"toJSON":2}')
  })

  test('as text, every value is what PostgreSQL prints', () => {
    for (const oid of Object.values(OID))
      expect(VALUE_TYPES.text.getTypeParser(oid)('t {1} 2026-11-20')).toBe('t {1} 2026-11-20')
  })

  test('reading values leaves the types of pg as they are', () => {
    const parse: (text: string) => unknown = pg.types.getTypeParser(OID.timestamptz)
    expect(parse('2026-11-20 05:00:00+00')).toBeInstanceOf(Date)
  })
})
