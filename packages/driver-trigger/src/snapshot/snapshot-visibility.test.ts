import { expect, test } from 'vitest'
import { snapshotVisibility } from './snapshot-visibility.ts'

function seen(state: string, ...ids: readonly string[]): boolean[] {
  const sees = snapshotVisibility(state)
  return ids.map((id) => sees({ id, commitTime: null }))
}

test('what began before the snapshot and was not running is in it', () => {
  expect(seen('10:20:12,15', '9', '10', '12', '13', '15', '19', '20', '21')).toEqual([
    true,
    true,
    false,
    true,
    false,
    true,
    false,
    false,
  ])
})

test('numbers of transactions have 64 bits', () => {
  expect(seen('9007199254740993:9007199254740997:9007199254740994', '9007199254740993', '9007199254740994')).toEqual([
    true,
    false,
  ])
  expect(seen('18446744073709551600:18446744073709551610:', '18446744073709551609', '18446744073709551610')).toEqual([
    true,
    false,
  ])
})
