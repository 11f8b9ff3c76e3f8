import { expect, test } from 'vitest'
import type { TableListener } from '../delivery/table-listener.ts'
import type { CaptureWish } from './capture-set.ts'
import { CaptureSet } from './capture-set.ts'
import { KeptWishes } from './kept-wishes.ts'

/** Only its identity matters here. */
const aListener = (): TableListener => Object.create(null) as TableListener

const wish = (sql: string): CaptureWish => ({
  table: { schema: 'public', name: 'orders' },
  operations: new Set(['insert'] as const),
  columns: null,
  condition: { tree: { kind: 'constant', value: true }, sql },
})

test('a wish that is kept for a while is let go of with its condition', () => {
  const wanted = new CaptureSet()
  const kept = new KeptWishes()
  const where = (): unknown => wanted.requests()[0]?.where
  const [paid, open] = [wish('paid'), wish('open')]
  const [first, second] = [aListener(), aListener()]
  for (const one of [paid, open]) wanted.add(one)
  kept.keep(first, paid)
  kept.keep(second, open)
  expect(kept.all.map(({ condition }) => condition?.sql)).toEqual(['paid', 'open'])
  const gone = kept.letGo(first)
  expect(gone).toMatchObject({ condition: { sql: 'paid' } })
  if (gone !== undefined) wanted.remove(gone)
  expect(where()).toEqual([open.condition])
})
