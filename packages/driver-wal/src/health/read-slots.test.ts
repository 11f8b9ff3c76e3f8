import { expect, test } from 'vitest'
import type { SeenSlot, SlotsLook } from './read-slots.ts'
import { compareLooks } from './read-slots.ts'

const SLOT: SeenSlot = {
  name: 'rowtap_s_1_billing',
  owner: { kind: 'subscription', subscription: 'billing' },
  database: 'shop',
  isHere: true,
  isTemporary: false,
  isActive: false,
  activePid: null,
  restartLsn: '0/100',
  confirmedFlushLsn: '0/100',
  lagBytes: 0,
  retainedBytes: 0,
  safeWalBytes: 10_800_000,
  walStatus: 'reserved',
  invalidationReason: null,
  isConflicting: null,
  isFailover: null,
  inactiveSince: null,
}

function look(atMs: number, lsn: string | null, slot: Partial<SeenSlot> = {}): SlotsLook {
  return { atMs, lsn, slots: [{ ...SLOT, ...slot }] }
}

test('two looks tell how fast the log grows, and when a slot that rests is full', () => {
  const { bytesPerSecond, slots } = compareLooks(look(0, '0/1000'), look(2000, '0/17D0'))
  expect(bytesPerSecond).toBe(1000)
  expect(slots[0]).toMatchObject({ hasMoved: false, fullInSeconds: 10_800 })
})

test.each([
  ['moves', look(2000, '0/17D0', { confirmedFlushLsn: '0/200' }), { hasMoved: true, fullInSeconds: null }],
  ['has no limit', look(2000, '0/17D0', { safeWalBytes: null }), { hasMoved: false, fullInSeconds: null }],
  ['is lost', look(2000, '0/17D0', { walStatus: 'lost' }), { hasMoved: false, fullInSeconds: null }],
  ['is beyond its limit', look(2000, '0/17D0', { safeWalBytes: -5 }), { hasMoved: false, fullInSeconds: 0 }],
  ['rests while nothing is written', look(2000, '0/1000'), { hasMoved: false, fullInSeconds: null }],
])('a slot that %s', (_, last, expected) => {
  expect(compareLooks(look(0, '0/1000'), last).slots[0]).toMatchObject(expected)
})

test('one look tells neither, and a slot that is new is not said to rest', () => {
  expect(compareLooks(null, look(0, '0/1000'))).toMatchObject({
    bytesPerSecond: null,
    slots: [{ hasMoved: null, fullInSeconds: null }],
  })
  const none = { atMs: 0, lsn: '0/1000', slots: [] }
  expect(compareLooks(none, look(2000, '0/17D0')).slots[0]).toMatchObject({ hasMoved: null, fullInSeconds: null })
})
