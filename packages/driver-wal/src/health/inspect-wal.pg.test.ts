import { RowtapError } from '@rowtap/core/driver'
import type { PostgresVersion, TestDatabase } from '@rowtap/driver-testkit'
import { POSTGRES_VERSIONS, startPostgres } from '@rowtap/driver-testkit'
import { describePostgres } from '@rowtap/driver-testkit/vitest'
import { expect, test } from 'vitest'
import { inspectWal } from './inspect-wal.ts'
import { slotHealthReader } from './slot-health.ts'
import { ControlConnection } from '../connection/control-connection.ts'
import { clientConfig } from '../connection/client-config.ts'

/** Makes a subscription's slot as the driver does. */
async function createSlot(database: TestDatabase, subscription: string): Promise<string> {
  const [row] = await database.query(
    `SELECT slot_name FROM pg_create_logical_replication_slot(
       (SELECT 'rowtap_s_' || oid || '_${subscription}' FROM pg_database WHERE datname = current_database()), 'pgoutput')`,
  )
  return String(row?.['slot_name'])
}

async function createPublications(database: TestDatabase, subscription: string): Promise<void> {
  await database.query(`CREATE PUBLICATION rowtap_s_${subscription}_all`)
  await database.query(`CREATE PUBLICATION rowtap_s_${subscription}_inserts WITH (publish = 'insert, truncate')`)
}

/** Writes so many bytes of write-ahead log, and a little more. */
async function writeLog(database: TestDatabase, bytes: number): Promise<void> {
  await database.query(`SELECT pg_logical_emit_message(true, 'noise', repeat('x', ${bytes}))`)
}

function supported(version: number): PostgresVersion {
  const known = POSTGRES_VERSIONS.find((one) => one === version)
  if (known === undefined) throw new RangeError(`version ${version}`)
  return known
}

describePostgres('inspectWal', (postgres) => {
  test('tells of a database without anything of ours what the server is like', async () => {
    await using database = await postgres.createDatabase()
    const health = await inspectWal({ connection: database.url, sampleMs: 0 })
    expect(health).toMatchObject({
      database: database.name,
      server: {
        walLevel: 'logical',
        isStandby: false,
        managedBy: null,
        maxReplicationSlots: 100,
        maxWalSenders: 50,
        maxSlotWalKeepBytes: null,
        idleSlotTimeoutMs: null,
        walSenderTimeoutMs: 60_000,
      },
      role: { isSuperuser: true, mayReplicate: true, mayCreate: true, managedRoles: [] },
      wal: { bytesPerSecond: null, sampleMs: 0 },
      publications: [],
      orphans: [],
      tables: [],
    })
    expect(Math.floor(health.server.version / 10_000)).toBe(postgres.version)
    expect(health.slots.filter(({ isHere }) => isHere)).toEqual([])
    expect(health.wal.directoryBytes).toBeGreaterThan(0)
    expect(health.unseen).toEqual([expect.stringContaining('disk')])
  })

  test('tells what a role without privileges may not do, and what it could not see', async () => {
    await using database = await postgres.createDatabase()
    const role = await database.createRole()
    await createSlot(database, 'billing')
    const health = await inspectWal({ connection: role.url, sampleMs: 0 })
    expect(health.role).toEqual({
      name: role.name,
      isSuperuser: false,
      mayReplicate: false,
      mayCreate: false,
      managedRoles: [],
    })
    expect(health.wal.directoryBytes).toBeNull()
    expect(health.unseen).toEqual([
      expect.stringContaining('pg_monitor'),
      expect.stringContaining('pg_read_all_stats'),
      expect.stringContaining('disk'),
    ])
    expect(health.slots.filter(({ isHere }) => isHere)).toHaveLength(1)
    const replicating = await database.createRole('REPLICATION')
    expect((await inspectWal({ connection: replicating.url, sampleMs: 0 })).role.mayReplicate).toBe(true)
  })

  test('knows a managed service’s role that stands for the right to replicate', async () => {
    // A name for the whole server: one of its own keeps it from other tests.
    await using server = await startPostgres({ version: supported(postgres.version), sources: ['embedded'] })
    await using database = await server.createDatabase()
    const role = await database.createRole()
    await database.query(
      `CREATE ROLE rds_replication; CREATE ROLE rds_superuser; GRANT rds_replication TO "${role.name}"`,
    )
    const health = await inspectWal({ connection: role.url, sampleMs: 0 })
    expect(health.role).toMatchObject({ mayReplicate: true, managedRoles: ['rds_replication'] })
    expect(health.server.managedBy).toBe('Amazon RDS')
  })

  test('measures how far behind a slot is that nobody reads, and how fast the log grows', async () => {
    await using database = await postgres.createDatabase()
    const name = await createSlot(database, 'billing')
    await createPublications(database, 'billing')
    await writeLog(database, 1_000_000)
    const inspecting = inspectWal({ connection: database.url, sampleMs: 200 })
    await writeLog(database, 1_000_000)
    const health = await inspecting
    const [slot] = health.slots.filter(({ isHere }) => isHere)
    expect(slot).toMatchObject({
      name,
      owner: { kind: 'subscription', subscription: 'billing' },
      database: database.name,
      isTemporary: false,
      isActive: false,
      activePid: null,
      walStatus: 'reserved',
      safeWalBytes: null,
      hasMoved: false,
      // Without a limit it is never full.
      fullInSeconds: null,
      invalidationReason: null,
      isConflicting: postgres.version >= 16 ? false : null,
      isFailover: postgres.version >= 17 ? false : null,
      inactiveSince: postgres.version >= 17 ? expect.any(Date) : null,
    })
    expect(slot?.lagBytes).toBeGreaterThan(1_000_000)
    expect(slot?.retainedBytes).toBeGreaterThanOrEqual(slot?.lagBytes ?? 0)
    expect(health.wal.bytesPerSecond).toBeGreaterThanOrEqual(0)
    expect(health.wal.sampleMs).toBeGreaterThanOrEqual(190)
    expect(health.orphans).toEqual([
      {
        reason: 'nobody reads it',
        owner: { kind: 'subscription', subscription: 'billing' },
        slots: [name],
        publications: ['rowtap_s_billing_all', 'rowtap_s_billing_inserts'],
        progress: [],
        statements: [
          `SELECT pg_catalog.pg_drop_replication_slot('${name}')`,
          'DROP PUBLICATION IF EXISTS "rowtap_s_billing_all"',
          'DROP PUBLICATION IF EXISTS "rowtap_s_billing_inserts"',
        ],
      },
    ])
  })

  test('finds what is left of what: slots, publications, crashed clients; and leaves what lives', async () => {
    await using database = await postgres.createDatabase()
    const slot = await createSlot(database, 'bare')
    await createPublications(database, 'copied')
    await database.query(`CREATE PUBLICATION rowtap_e_00000000000000ff_all`)
    await database.query(`CREATE PUBLICATION rowtap_e_ff000000000000ff_all`)
    await database.query(`CREATE PUBLICATION not_ours`)
    const living = await database.connect()
    await living.query(`SELECT pg_advisory_lock(('x' || 'ff000000000000ff')::bit(64)::int8), pg_advisory_lock(7)`)
    const { rows } = await living.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')
    const health = await inspectWal({ connection: database.url, sampleMs: 0 })
    expect(health.orphans.map(({ reason, slots, publications }) => [reason, slots, publications])).toEqual([
      ['slot without publications', [slot], []],
      ['crashed client', [], ['rowtap_e_00000000000000ff_all']],
      ['publications without slot', [], ['rowtap_s_copied_all', 'rowtap_s_copied_inserts']],
    ])
    const owner = { kind: 'ephemeral', digits: 'ff000000000000ff' }
    expect(health.clients).toEqual([{ owner, processId: rows[0]?.pid }])
    await living.query(`SELECT pg_advisory_lock(hashtextextended('rowtap subscription copied', 0))`)
    const starting = await inspectWal({ connection: database.url, sampleMs: 0 })
    expect(starting.orphans.map(({ reason }) => reason)).toEqual(['slot without publications', 'crashed client'])
  })

  test('tells of each table what its changes will hold, and what stands in the way', async () => {
    await using database = await postgres.createDatabase()
    await database.query(`
      CREATE TABLE "Odd name" (id int PRIMARY KEY, t text);
      ALTER TABLE "Odd name" REPLICA IDENTITY FULL;
      ALTER TABLE "Odd name" ENABLE ROW LEVEL SECURITY;
      CREATE TABLE bare (id int);
      CREATE UNLOGGED TABLE fleeting (id int PRIMARY KEY);
      CREATE TABLE parted (id int PRIMARY KEY) PARTITION BY RANGE (id);
      CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (10);
      CREATE VIEW seen AS SELECT 1 AS one;
      CREATE PUBLICATION rowtap_s_billing_all FOR TABLE "Odd name", bare;
    `)
    const names = ['Odd name', 'bare', 'fleeting', 'parted', 'parted_1', 'seen', 'bares']
    const health = await inspectWal({
      connection: database.url,
      sampleMs: 0,
      tables: names.map((name) => ({ schema: 'public', name })),
    })
    const storage = { schema: 'public', persistence: 'permanent', isLocal: true, hasVirtualColumns: false }
    expect(health.tables).toMatchObject([
      {
        found: true,
        kind: 'table',
        hasRowSecurity: true,
        primaryKey: ['id'],
        storage: [{ ...storage, identity: 'full' }],
      },
      { kind: 'table', hasRowSecurity: false, primaryKey: [], storage: [{ ...storage, identity: 'none' }] },
      { storage: [{ ...storage, persistence: 'unlogged', identity: 'primary key' }] },
      { kind: 'partitioned table', partitionOf: null, storage: [{ name: 'parted_1', identity: 'primary key' }] },
      { kind: 'table', partitionOf: { schema: 'public', name: 'parted' } },
      { kind: 'view', isOwned: true },
      { found: false, nearest: { schema: 'public', name: 'bare' } },
    ])
    expect(health.publications).toMatchObject([
      {
        name: 'rowtap_s_billing_all',
        isOwned: true,
        publishesUpdates: true,
        tables: [{ name: 'Odd name' }, { name: 'bare', storage: [{ identity: 'none' }] }],
      },
    ])
  })

  test('says why it cannot connect', async () => {
    await using database = await postgres.createDatabase()
    const role = await database.createRole()
    const error: unknown = await inspectWal({ connection: database.urlFor(role.name, 'wrong') }).catch(
      (reason: unknown) => reason,
    )
    expect(RowtapError.is(error, 'ERR_AUTHENTICATION_FAILED')).toBe(true)
  })

  test('sees a slot that was lost, and one that is about to be', async () => {
    await using server = await startPostgres({
      version: supported(postgres.version),
      sources: ['embedded'],
      settings: { max_slot_wal_keep_size: '16MB', max_wal_size: '32MB', min_wal_size: '32MB' },
    })
    await using database = await server.createDatabase()
    const name = await createSlot(database, 'billing')
    const inspecting = inspectWal({ connection: database.url, sampleMs: 200 })
    await writeLog(database, 100_000)
    const before = await inspecting
    expect(before.server.maxSlotWalKeepBytes).toBe(16 * 1024 * 1024)
    const slot = before.slots[0]
    expect(slot?.safeWalBytes).toBeGreaterThan(0)
    expect(slot?.hasMoved).toBe(false)

    const control = new ControlConnection(clientConfig(database.url))
    await control.connect()
    const reader = slotHealthReader(control.query.bind(control), () => name)
    expect(await reader.look()).toMatchObject({ state: 'reserved', lagSeconds: expect.any(Number) })
    expect(reader.last?.safeBytes).toBeGreaterThan(0)
    for (let segment = 0; segment < 5; segment += 1) {
      await writeLog(database, 1000)
      await database.query('SELECT pg_switch_wal()')
    }
    await database.query('CHECKPOINT')
    const after = await inspectWal({ connection: database.url, sampleMs: 0 })
    expect(after.slots[0]).toMatchObject({
      name,
      walStatus: 'lost',
      safeWalBytes: null,
      invalidationReason: postgres.version >= 17 ? 'wal_removed' : null,
    })
    expect(after.slots[0]?.retainedBytes ?? null).toBeNull()
    expect(await reader.look()).toMatchObject({ state: 'lost', safeBytes: null, retainedBytes: null })
    await database.query('SELECT pg_drop_replication_slot($1)', [name])
    expect(await reader.look()).toMatchObject({ state: 'lost', lagBytes: null, lagSeconds: null })
    await control.end()
  })

  test('says of a server whose log holds too little that it does', async () => {
    await using server = await startPostgres({
      version: supported(postgres.version),
      sources: ['embedded'],
      settings: { wal_level: 'replica' },
    })
    const health = await inspectWal({ connection: server.url, sampleMs: 0 })
    expect(health.server.walLevel).toBe('replica')
    expect(health.slots).toEqual([])
  })
})
