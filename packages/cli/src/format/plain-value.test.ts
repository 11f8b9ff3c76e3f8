import { expect, test } from 'vitest'

import { plainValue } from './plain-value.ts'

test.each([
  ['paid', 'paid'],
  ['2026-11-20 05:19:24.123+00', '2026-11-20 05:19:24.123+00'],
  ['\\xdead', '\\xdead'],
  ['Ada Lovelace', '"Ada Lovelace"'],
  ['', '""'],
  [' x ', '" x "'],
  ['a=b', '"a=b"'],
  ['null', '"null"'],
  [null, 'null'],
  [42, '42'],
  [{ a: 1 }, '{"a":1}'],
  ['two\nlines', '"two\\nlines"'],
  ['\u202eevil', '"\\u202eevil"'],
  ['\u009b31m', '"\\u009b31m"'],
])('%j is shown as %s', (value, expected) => {
  expect(plainValue(value)).toBe(expected)
})
