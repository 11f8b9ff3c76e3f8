import { expect, test } from 'vitest'
import { nearestTable } from './nearest-table.ts'

const tables = [
  { schema: 'public', name: 'orders' },
  { schema: 'public', name: 'order_items' },
  { schema: 'sales', name: 'customers' },
  { schema: 'public', name: 'Users' },
]

test.each([
  ['public', 'order', 'public.orders'],
  ['public', 'ordres', 'public.orders'],
  ['public', 'users', 'public.Users'],
  ['public', 'customers', 'sales.customers'],
  ['public', 'order_item', 'public.order_items'],
  ['public', 'invoices', null],
  ['public', 'x', null],
])('for %s.%s it is %s', (schema, name, expected) => {
  const near = nearestTable({ schema, name }, tables)
  expect(near === null ? null : `${near.schema}.${near.name}`).toBe(expected)
})
