import { expect, test } from 'vitest'
import { RowtapError } from '../rowtap-error.ts'
import { formatTableName, parseTableName, quoteTableName } from './table-name.ts'

test.each([
  ['orders', 'public', 'orders'],
  ['Orders', 'public', 'orders'],
  ['sales.orders', 'sales', 'orders'],
  [' sales . orders ', 'sales', 'orders'],
  ['"Odd Schema"."Ta""ble.x"', 'Odd Schema', 'Ta"ble.x'],
  ['"select"', 'public', 'select'],
  ['straße.ÄPFEL', 'straße', 'Äpfel'],
  ['a$1._b', 'a$1', '_b'],
])('%s', (text, schema, name) => {
  expect(parseTableName(text)).toEqual({ schema, name })
})

test.each(['', ' ', '.', 'a.', '.a', 'a.b.c', '"a', '"a"b', '""', '1a', 'a b', 'a;b', "a'b", 'a."b".'])(
  'refuses %s',
  (text) => {
    let thrown: unknown
    try {
      parseTableName(text)
    } catch (error) {
      thrown = error
    }
    expect(RowtapError.is(thrown, 'ERR_INVALID_OPTIONS')).toBe(true)
  },
)

test('a name is written as a person would, and quoted for SQL always', () => {
  const odd = { schema: 'Odd Schema', name: 'Ta"ble.x' }
  expect(formatTableName({ schema: 'public', name: 'orders' })).toBe('public.orders')
  expect(formatTableName(odd)).toBe('"Odd Schema"."Ta""ble.x"')
  expect(quoteTableName({ schema: 'public', name: 'orders' })).toBe('"public"."orders"')
  expect(parseTableName(quoteTableName(odd))).toEqual(odd)
})
