import { describe, expect, test } from 'vitest'
import type { BaseType } from '../../conditions/column-type.ts'
import { textRelation, SCRIPTED_CAPABILITIES, TEXT } from '../../testing/scripted-driver.ts'
import { listenRequest } from '../../options/listen-request.ts'
import type { ListenerCondition } from '../listener-condition.ts'
import { listenerCondition } from '../listener-condition.ts'
import { ListenerIndex } from './listener-index.ts'

const INTEGER: BaseType = {
  ...TEXT,
  name: 'int4',
  castName: '"pg_catalog"."int4"',
  displayName: 'integer',
  collation: null,
}

const ORDERS = textRelation('orders', ['status', 'total', 'customer_id', 'weight'])
const RELATION = {
  ...ORDERS,
  columns: ORDERS.columns.map((column, index) => ({ ...column, type: index === 0 ? TEXT : INTEGER })),
}

function condition(where: object): Promise<ListenerCondition | null> {
  const request = listenRequest(SCRIPTED_CAPABILITIES, { table: 'orders', where })
  return listenerCondition(request.where, RELATION, SCRIPTED_CAPABILITIES, (constants) =>
    Promise.resolve(constants.map(({ text }) => ({ text }))),
  )
}

const COUNT = 500

describe.each<[string, (n: number) => object]>([
  ['a value of their own', (n) => ({ customer_id: n })],
  ['a range of their own', (n) => ({ total: { gte: n, lt: n + 1 } })],
  ['a range of their own and a value that all want', (n) => ({ status: 'paid', total: { gte: n, lt: n + 1 } })],
  ['a value that all want and one of their own', (n) => ({ status: 'paid', customer_id: n })],
  [
    'a range that all want and one of their own',
    (n) => ({ weight: { gte: 0, lt: 1000 }, total: { gte: n, lt: n + 1 } }),
  ],
  ['a wide range and a value of their own', (n) => ({ total: { gte: -n, lt: COUNT + n }, customer_id: n })],
])('of listeners that want %s', (_, where) => {
  test('few are looked at for a row that one wants', async () => {
    const index = new ListenerIndex<{ readonly n: number }>(RELATION)
    const conditions = await Promise.all(Array.from({ length: COUNT }, (_each, n) => condition(where(n))))
    const added = conditions.map((one, n) => index.add({ n }, one))
    const visited = (): readonly number[] => {
      const numbers: number[] = []
      const texts = ['paid', '123', '123', '1']
      index.visit(null, { text: (column) => texts[column] }, ({ n }) => numbers.push(n))
      return numbers
    }
    expect(visited()).toContain(123)
    expect(visited().length).toBeLessThan(COUNT / 10)
    for (const { placement } of added) placement.remove()
    expect(visited()).toEqual([])
  })
})

test.each<[object, object | null]>([
  [{ customer_id: 5 }, null],
  [{ total: { gte: 5, lt: 9 } }, null],
  [{ status: 'paid', total: { gte: 5, lt: 9 } }, { total: { gte: 5, lt: 9 } }],
  [{ status: { like: 'p%' }, total: { between: [5, 9] } }, { status: { like: 'p%' } }],
  [{ or: [{ customer_id: 5 }, { total: 5 }] }, null],
])('what %j asks besides that by which it is found', async (where, expected) => {
  const rest = expected === null ? null : (await condition(expected))?.tree
  const { rest: actual } = new ListenerIndex(RELATION).add({}, await condition(where))
  expect(actual).toEqual(rest)
})
