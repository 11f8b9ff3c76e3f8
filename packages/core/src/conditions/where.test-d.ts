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
  accept({ status: { in: ['open', null] } })
  // @ts-expect-error -- true of no row
  accept({ status: { notIn: ['open', null] } })
  // @ts-expect-error -- true of no row
  accept({ note: { eq: null } })
  // @ts-expect-error -- undefined is no condition
  accept({ id: undefined })
  // @ts-expect-error -- 'or' takes a list
  accept({ or: { id: 1 } })
})

test('patterns are for texts, and for what is not known not to be one', () => {
  accept({ status: { like: 'p%' }, total: { notLike: '1%' }, note: { ilike: 'a%', neq: 'ab' } })
  accept({ document: { notIlike: 'a%' } })

  // @ts-expect-error -- a number is no text
  accept({ id: { like: '1%' } })
  // @ts-expect-error -- nor is a boolean
  accept({ urgent: { notLike: 't%' } })
  // @ts-expect-error -- nor is a Date
  accept({ placed: { ilike: '2024%' } })
  // @ts-expect-error -- nor are bytes
  accept({ photo: { like: 'a%' } })
  // @ts-expect-error -- nor is an array
  accept({ tags: { notIlike: 'a%' } })
  // @ts-expect-error -- also in a group, beside what is right
  accept({ or: [{ id: { gt: 1, like: '1%' } }] })
})

test('without a row type any column may be named', () => {
  expectTypeOf<{ status: { like: string }; total: { gte: number }; or: { a: null }[] }>().toExtend<Where>()
})
