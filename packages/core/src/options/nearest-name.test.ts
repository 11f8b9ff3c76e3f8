import { expect, test } from 'vitest'
import { nearestTable } from './nearest-name.ts'

const tables = [
  { schema: 'public', name: 'orders' },
  { schema: 'sales', name: 'orders' },
  { schema: 'public', name: 'Customers' },
]

test.each([
  ['public', 'order', 'public', 'orders'],
  ['sales', 'order', 'sales', 'orders'],
  ['shop', 'orders', 'public', 'orders'],
  ['public', 'customers', 'public', 'Customers'],
])('%s.%s is near %s.%s', (schema, name, nearSchema, nearName) => {
  expect(nearestTable({ schema, name }, tables)).toEqual({ schema: nearSchema, name: nearName })
})

test('nothing is near to something else', () => {
  expect(nearestTable({ schema: 'public', name: 'payments' }, tables)).toBeNull()
})
