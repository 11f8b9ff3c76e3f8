import { expect, test } from 'vitest'
import { snapshotVisibility } from './snapshot-visibility.ts'

const transaction = (id: bigint): { readonly id: string; readonly commitTime: null } => ({
  id: String(id),
  commitTime: null,
})

test('a transaction is visible when it is before the snapshot and not running', () => {
  const sees = snapshotVisibility('10:20:10,15')
  expect([9n, 10n, 11n, 15n, 19n, 20n, 21n].map((id) => sees(transaction(id)))).toEqual([
    true,
    false,
    true,
    false,
    true,
    false,
    false,
  ])
})

test.each([
  ['in the same epoch', 5n * 2n ** 32n + 100n, 90n, true],
  ['in the same epoch, later', 5n * 2n ** 32n + 100n, 110n, false],
  ['at the end of the epoch before', 5n * 2n ** 32n + 100n, 2n ** 32n - 5n, true],
  ['at the beginning of the epoch after', 5n * 2n ** 32n - 100n, 7n, false],
])('the lower half of an id is enough: %s', (_, newest, id, isVisible) => {
  expect(snapshotVisibility(`${newest}:${newest}:`)(transaction(id))).toBe(isVisible)
})
