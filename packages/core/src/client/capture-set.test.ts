import { expect, test } from 'vitest'
import type { RequestedCondition } from '../contract/driver.ts'
import type { CaptureWish } from './capture-set.ts'
import { CaptureSet } from './capture-set.ts'

const paid: RequestedCondition = { tree: { kind: 'constant', value: true }, sql: 'paid' }
const open: RequestedCondition = { tree: { kind: 'constant', value: false }, sql: 'open' }

function wish(condition?: RequestedCondition | null): CaptureWish {
  return {
    table: { schema: 'public', name: 'orders' },
    operations: new Set(['insert'] as const),
    columns: null,
    ...(condition === undefined ? {} : { condition }),
  }
}

test('a table’s conditions are those of its listeners, each once', () => {
  const set = new CaptureSet()
  const where = (): unknown => set.requests()[0]?.where
  set.add(wish(paid))
  set.add(wish(open))
  const { version } = set
  set.add(wish(paid))
  expect(set.version).toBe(version)
  expect(where()).toEqual([paid, open])
  set.remove(wish(paid))
  expect([set.version, where()]).toEqual([version, [paid, open]])
  set.remove(wish(paid))
  expect(set.version).toBeGreaterThan(version)
  expect(where()).toEqual([open])
})

test('with one listener that wants every row there is no condition, until it goes', () => {
  const set = new CaptureSet()
  const where = (): unknown => set.requests()[0]?.where
  set.add(wish(paid))
  set.add(wish(null))
  expect(where()).toBeNull()
  const { version } = set
  set.remove(wish(null))
  expect(set.version).toBeGreaterThan(version)
  expect(where()).toEqual([paid])
})

test('where nobody uses conditions, one listener more or less makes no difference', () => {
  const set = new CaptureSet()
  set.add(wish())
  const { version } = set
  set.add(wish())
  set.remove(wish())
  expect([set.version, set.requests()[0]?.where]).toEqual([version, null])
})

test('beside a listener without rows every column is wanted, as long as both are there', () => {
  const set = new CaptureSet()
  const columns = (): unknown => set.requests()[0]?.columns
  const some: CaptureWish = { ...wish(), columns: ['id', 'total'] }
  const without: CaptureWish = { ...wish(), columns: ['id'], rows: false }
  set.add(some)
  const { version } = set
  set.add(without)
  expect(set.version).toBeGreaterThan(version)
  expect(columns()).toBeNull()
  set.remove(without)
  expect(columns()).toEqual(new Set(['id', 'total']))
  set.add(without)
  set.remove(some)
  expect(columns()).toEqual(new Set(['id']))
})
