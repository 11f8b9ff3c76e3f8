import type { ManagedService, WalHealth } from '@rowtap/driver-wal'
import { expect, test } from 'vitest'

import type { Check } from './check.ts'
import { walServerChecks } from './wal-server-checks.ts'

const SERVER: WalHealth['server'] = {
  version: 180_004,
  versionName: '18.4',
  walLevel: 'logical',
  isStandby: false,
  synchronousStandbyNames: '',
  countsReadersAsStandbys: false,
  managedBy: null,
  maxReplicationSlots: 10,
  usedReplicationSlots: 1,
  maxWalSenders: 10,
  usedWalSenders: 1,
  maxSlotWalKeepBytes: 1024 ** 3,
  idleSlotTimeoutMs: null,
  walSenderTimeoutMs: 60_000,
}
const ROLE: WalHealth['role'] = {
  name: 'ada',
  isSuperuser: false,
  mayReplicate: true,
  mayCreate: true,
  managedRoles: [],
}

function checks(server: Partial<WalHealth['server']>, role: Partial<WalHealth['role']> = {}): readonly Check[] {
  return walServerChecks({
    takenAt: new Date(0),
    database: 'shop',
    server: { ...SERVER, ...server },
    role: { ...ROLE, ...role },
    wal: { lsn: null, bytesPerSecond: null, sampleMs: 0, directoryBytes: null },
    slots: [],
    publications: [],
    leftProgress: [],
    orphans: [],
    clients: [],
    tables: [],
    unseen: [],
  })
}

function wrong(found: readonly Check[]): readonly Check[] {
  return found.filter(({ level }) => level !== 'ok')
}

test('a server that is set up is all right', () => {
  expect(wrong(checks({}))).toEqual([])
})

test.each([
  ['is too old', { version: 130_010, versionName: '13.10' }, 'problem', '13.10 is too old', []],
  ['is a standby', { isStandby: true }, 'problem', 'name the primary', []],
  [
    'takes readers for standbys',
    { countsReadersAsStandbys: true, synchronousStandbyNames: 'ANY 1 (*)' },
    'problem',
    'synchronous_standby_names is ANY 1 (*)',
    [],
  ],
  [
    'logs too little',
    { walLevel: 'replica' },
    'problem',
    'wal_level is replica',
    [`ALTER SYSTEM SET wal_level = 'logical'`],
  ],
  [
    'has no slot left',
    { usedReplicationSlots: 10 },
    'problem',
    'All 10 replication slots',
    ['ALTER SYSTEM SET max_replication_slots = 20'],
  ],
  [
    'has no sender left',
    { usedWalSenders: 10 },
    'problem',
    'All 10 replication connections',
    ['ALTER SYSTEM SET max_wal_senders = 20'],
  ],
  ['forgets idle slots', { idleSlotTimeoutMs: 86_400_000 }, 'warning', 'nobody reads for 24 h loses its place', []],
  [
    'never gives up a silent reader',
    { walSenderTimeoutMs: null },
    'warning',
    'wal_sender_timeout is off',
    [`ALTER SYSTEM SET wal_sender_timeout = '60s'`, 'SELECT pg_catalog.pg_reload_conf()'],
  ],
] as const)('a server that %s', (_, server, level, sentence, statements) => {
  expect(wrong(checks(server))).toEqual([
    { driver: 'wal', subject: 'server', level, sentence: expect.stringContaining(sentence), statements },
  ])
})

test.each<[ManagedService, string]>([
  ['Amazon RDS', 'rds.logical_replication to 1'],
  ['Google Cloud SQL', 'cloudsql.logical_decoding'],
  ['Azure', 'server parameter wal_level'],
  ['Neon', 'project’s settings'],
  ['Supabase', 'on by default'],
])('on %s nobody is told to run ALTER SYSTEM', (managedBy, advice) => {
  const found = checks({
    managedBy,
    walLevel: 'replica',
    maxSlotWalKeepBytes: null,
    walSenderTimeoutMs: null,
    usedWalSenders: 10,
  })
  expect(wrong(found)).toHaveLength(4)
  expect(found.flatMap(({ statements }) => statements)).toEqual([])
  expect(wrong(found)[0]?.sentence).toContain(advice)
})

test('a role is told what it lacks, and how to get it', () => {
  const lacking = { mayReplicate: false, mayCreate: false }
  expect(wrong(checks({}, lacking)).map(({ statements }) => statements)).toEqual([
    ['ALTER ROLE "ada" REPLICATION'],
    ['GRANT CREATE ON DATABASE "shop" TO "ada"'],
  ])
  expect(wrong(checks({ managedBy: 'Amazon RDS' }, lacking))[0]?.statements).toEqual(['GRANT rds_replication TO "ada"'])
})
