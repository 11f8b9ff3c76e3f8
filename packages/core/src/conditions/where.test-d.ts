import { expectTypeOf, test } from 'vitest'
import type { Condition } from './condition.ts'
import type { Where } from './where.ts'

interface Order {
  id: number
  status: 'open' | 'paid'
  total: string
  note: string | null
  urgent: boolean
  placed: Date
  photo: Buffer | null
  tags: string[]
  document: unknown
}

function accept(where: Where<Order>): Where<Order> {
  return where
}

test('a condition is typed by the row', () => {
  accept({ status: 'paid', total: { gte: 100 }, note: null, or: [{ id: { in: [1, 2n] } }, { urgent: true }] })
  accept({ placed: { between: [new Date(0), '2024-01-01 00:00:00.000001'] }, not: { tags: ['a'] } })
  accept({ photo: Buffer.from(''), document: { eq: { a: 1 } }, note: { notLike: 'a%', isDistinctFrom: null } })
  accept({ and: [{ kind: 'constant', value: true } satisfies Condition, { id: 1 }] })

  // @ts-expect-error -- no such column
  accept({ state: 'paid' })
  // @ts-expect-error -- no such status
  accept({ status: 'payed' })
  // @ts-expect-error -- no such status in a list
  accept({ status: { in: ['open', 'payed'] } })
  // @ts-expect-error -- no such operator
  accept({ total: { greater: 5 } })
  // @ts-expect-error -- a number is no boolean
  accept({ urgent: 1 })
  // @ts-expect-error -- true of no row
  accept({ note: { eq: null } })
  // @ts-expect-error -- undefined is no condition
  accept({ id: undefined })
  // @ts-expect-error -- 'or' takes a list
  accept({ or: { id: 1 } })
})

test('without a row type any column may be named', () => {
  expectTypeOf<{ status: string; total: { gte: number }; or: { a: null }[] }>().toExtend<Where>()
})
