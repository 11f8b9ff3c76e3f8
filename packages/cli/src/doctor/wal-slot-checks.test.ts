import type { WalHealth, WalOrphan, WalSlotHealth } from '@rowtap/driver-wal'
import { expect, test } from 'vitest'

import { walSlotChecks } from './wal-slot-checks.ts'

const OWNER = { kind: 'subscription', subscription: 'billing' } as const
const SLOT: WalSlotHealth = {
  name: 'rowtap_s_1_billing',
  owner: OWNER,
  database: 'shop',
  isHere: true,
  isTemporary: false,
  isActive: true,
  activePid: 12,
  restartLsn: '0/100',
  confirmedFlushLsn: '0/100',
  lagBytes: 1024 ** 2,
  retainedBytes: 2 * 1024 ** 2,
  safeWalBytes: 1024 ** 3,
  walStatus: 'reserved',
  invalidationReason: null,
  isConflicting: null,
  isFailover: null,
  inactiveSince: null,
  hasMoved: true,
  wasMoved: false,
  fullInSeconds: null,
}
const UNREAD: WalOrphan = {
  reason: 'nobody reads it',
  owner: OWNER,
  slots: [SLOT.name],
  publications: ['rowtap_s_billing_all', 'rowtap_s_billing_inserts'],
  progress: [],
  statements: ['drop the slot', 'drop the publication'],
}

function health(slot: Partial<WalSlotHealth>, orphans: readonly WalOrphan[] = []): WalHealth {
  return {
    takenAt: new Date(0),
    database: 'shop',
    server: {
      version: 180_000,
      versionName: '18.0',
      walLevel: 'logical',
      isStandby: false,
      synchronousStandbyNames: '',
      countsReadersAsStandbys: false,
      managedBy: null,
      maxReplicationSlots: 10,
      usedReplicationSlots: 1,
      maxWalSenders: 10,
      usedWalSenders: 1,
      maxSlotWalKeepBytes: null,
      idleSlotTimeoutMs: null,
      walSenderTimeoutMs: null,
    },
    role: { name: 'ada', isSuperuser: false, mayReplicate: true, mayCreate: true, managedRoles: [] },
    wal: { lsn: '0/200', bytesPerSecond: 100 * 1024, sampleMs: 2000, directoryBytes: null },
    slots: [{ ...SLOT, ...slot }],
    publications: [],
    leftProgress: [],
    orphans,
    clients: [],
    tables: [],
    unseen: [],
  }
}

test('a slot that is read is all right', () => {
  expect(walSlotChecks(health({}))).toEqual([
    {
      driver: 'wal',
      level: 'ok',
      subject: 'slot rowtap_s_1_billing',
      sentence:
        'Subscription billing is read by server process 12; 1.0 MB are not acknowledged, and the server keeps 2.0 MB of the log for it.',
      statements: [],
    },
  ])
})

test.each([
  ['makes the log large', { walStatus: 'extended' }, 'warning', 'more than max_wal_size'],
  ['is beyond its limit', { walStatus: 'unreserved' }, 'problem', 'about to be lost'],
  ['does not move', { hasMoved: false, fullInSeconds: 3 * 3600 }, 'warning', 'of 100 kB a second it is lost in 3 h.'],
  ['rests, with room for weeks', { hasMoved: false, fullInSeconds: 1e6 }, 'ok', 'of the log for it.'],
  ['is lost', { walStatus: 'lost', invalidationReason: 'wal_removed' }, 'problem', 'lost its place (wal_removed)'],
  ['is elsewhere', { isHere: false, database: 'other' }, 'ok', 'Subscription billing of database other is read'],
] as const)('a slot that %s', (_, slot, level, sentence) => {
  expect(walSlotChecks(health(slot))).toMatchObject([{ level, sentence: expect.stringContaining(sentence) }])
})

test('a slot whose client is connecting is not said to be nobody’s', () => {
  const connecting = { ...health({ isActive: false, activePid: null }), clients: [{ owner: OWNER, processId: 7 }] }
  expect(walSlotChecks(connecting)).toMatchObject([
    { level: 'warning', sentence: expect.stringMatching(/Server process 7 is about to read it\.$/), statements: [] },
  ])
})

test('a slot that nobody reads is told of once, with what removes it; when it is lost soon, that is a problem', () => {
  const unread = { isActive: false, activePid: null } as const
  const [warning, ...others] = walSlotChecks(health(unread, [UNREAD]))
  expect(others).toEqual([])
  expect(warning).toMatchObject({ level: 'warning', statements: UNREAD.statements })
  const soon = { ...unread, hasMoved: false, fullInSeconds: 90 }
  expect(walSlotChecks(health(soon, [UNREAD]))).toMatchObject([
    { level: 'problem', sentence: expect.stringContaining('lost in 90 s'), statements: UNREAD.statements },
  ])
})

test('what removes a slot that was moved, and lacks publications, is said once', () => {
  const moved = { isActive: false, activePid: null, wasMoved: true } as const
  const orphan: WalOrphan = { ...UNREAD, reason: 'slot without publications', publications: [] }
  expect(walSlotChecks(health(moved, [orphan]))).toMatchObject([
    { level: 'problem', subject: 'slot rowtap_s_1_billing', statements: [] },
    { level: 'problem', subject: 'subscription billing', statements: UNREAD.statements },
  ])
})
