import type { Change, ChangeBatch } from '@rowtap/core/driver'
import { expect, test } from 'vitest'
import { YieldedTransactions } from './yielded-transactions.ts'

function batch(...ids: readonly number[]): ChangeBatch {
  // Of a change nothing but its transaction is looked at.
  const changes = ids.map((id) => ({ transaction: { id: String(id), commitTime: null } }) as Change)
  return { changes, bytes: 0 }
}

test('tells which of the transactions that were delivered a snapshot does not have', () => {
  const yielded = new YieldedTransactions(() => Promise.reject(new Error('nobody asks')))
  yielded.add(batch(700, 701, 703))
  expect(yielded.hiddenFrom('701:704:701')).toEqual(['701'])
  expect(yielded.hiddenFrom('704:704:')).toEqual([])
  yielded.add(batch(705))
  expect(yielded.hiddenFrom('704:704:')).toEqual(['705'])
  yielded.forget(['705'])
  expect(yielded.hiddenFrom('704:704:')).toEqual([])
})

test('does not grow with the number of transactions', async () => {
  let asked = 0
  const yielded = new YieldedTransactions(() => {
    asked += 1
    return Promise.resolve('6000:6000:')
  })
  yielded.add(batch(...Array.from({ length: 5000 }, (_, index) => index + 1)))
  expect(asked).toBe(1)
  await new Promise((resolve) => setImmediate(resolve))
  expect(yielded.hiddenFrom('1:1:')).toEqual([])
})
