import type { TestDatabase } from '@rowtap/driver-testkit'
import { catalogueSnapshot } from '@rowtap/driver-testkit'
import { describePostgres } from '@rowtap/driver-testkit/vitest'
import { expect, test } from 'vitest'
import { inspectWal } from '../health/inspect-wal.ts'
import { makeProgress, progressNote } from '../snapshot/progress-sql.ts'
import { testHost, testSession, wanted } from '../testing/test-session.ts'
import { uninstallWal } from './uninstall-wal.ts'
import type { WalObject } from './wal-objects.ts'
import { walObjects } from './wal-objects.ts'

async function objectsOf(database: TestDatabase): Promise<readonly WalObject[]> {
  return walObjects(await inspectWal({ connection: database.url, sampleMs: 0 }))
}

async function subscribe(database: TestDatabase, subscription: string): Promise<void> {
  await database.query(
    `SELECT pg_create_logical_replication_slot(
       (SELECT 'rowtap_s_' || oid || '_${subscription}' FROM pg_database WHERE datname = current_database()), 'pgoutput')`,
  )
  await database.query(`CREATE PUBLICATION rowtap_s_${subscription}_all`)
}

describePostgres('uninstallWal', (postgres) => {
  test('removes a subscription with its slot and publications, and nothing else', async () => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE PUBLICATION rowtap; CREATE PUBLICATION rowtap_s_x')
    const before = await catalogueSnapshot(database)
    await subscribe(database, 'billing')
    const objects = await objectsOf(database)
    expect(objects.map(({ kind, usedBy }) => [kind, usedBy])).toEqual([
      ['replication slot', []],
      ['publication', []],
    ])
    expect(await uninstallWal({ connection: database.url, objects })).toEqual(
      objects.map((object) => ({ object, error: null })),
    )
    expect(await catalogueSnapshot(database)).toEqual(before)
    // What is gone already is no failure.
    expect((await uninstallWal({ connection: database.url, objects })).map(({ error }) => error)).toEqual([null, null])
  })

  test('knows what the driver made for a subscription: read, unread, removed', async () => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE t (id int PRIMARY KEY)')
    const before = await catalogueSnapshot(database)
    const wal = await testSession({ connection: database.url, host: testHost({ name: 'billing' }) })
    await wal.session.capture([wanted('t')])
    const read = await inspectWal({ connection: database.url, sampleMs: 0 })
    const owner = { kind: 'subscription', subscription: 'billing' }
    const here = { owner, isHere: true, isActive: true, isTemporary: false, walStatus: 'reserved' }
    expect(read.slots.filter(({ isHere }) => isHere)).toMatchObject([here])
    expect(read.clients).toEqual([{ owner, processId: expect.any(Number) }])
    expect(read.orphans).toEqual([])
    expect(read.publications.flatMap(({ tables }) => tables.map(({ name }) => name))).toEqual(['t'])
    await wal.session.close()
    const unread = await inspectWal({ connection: database.url, sampleMs: 0 })
    expect(unread.orphans).toMatchObject([{ reason: 'nobody reads it', owner }])
    expect(unread.clients).toEqual([])
    const removals = await uninstallWal({ connection: database.url, objects: walObjects(unread) })
    expect(removals.map(({ error }) => error)).toEqual([null, null, null])
    expect(await catalogueSnapshot(database)).toEqual(before)
  })

  test('the statements that it tells do the same', async () => {
    await using database = await postgres.createDatabase()
    const before = await catalogueSnapshot(database)
    await subscribe(database, 'billing')
    for (const { statements } of await objectsOf(database))
      for (const statement of statements) await database.query(statement)
    expect(await catalogueSnapshot(database)).toEqual(before)
  })

  test.each(['by us', 'by the statement that is told'])(
    'how far snapshots were is found where the rest was removed by hand, and removed %s',
    async (how) => {
      await using database = await postgres.createDatabase()
      await subscribe(database, 'billing')
      await database.query(makeProgress(progressNote('rowtap_s_billing_all')))
      await database.query(makeProgress('somebody else’s'))
      const [{ oid } = {}] = await database.query(`SELECT min(oid::int8)::int AS oid FROM pg_largeobject_metadata`)
      expect((await objectsOf(database)).map(({ kind }) => kind)).toEqual(['replication slot', 'publication'])
      await database.query(
        `SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE database = current_database()`,
      )
      await database.query('DROP PUBLICATION rowtap_s_billing_all')
      const statement = `SELECT pg_catalog.lo_unlink(${String(oid)})`
      const health = await inspectWal({ connection: database.url, sampleMs: 0 })
      expect(health.orphans).toEqual([
        {
          reason: 'progress without publications',
          owner: { kind: 'subscription', subscription: 'billing' },
          slots: [],
          publications: [],
          progress: [oid],
          statements: [statement],
        },
      ])
      const objects = walObjects(health)
      expect(objects).toMatchObject([{ kind: 'large object', name: String(oid), statements: [statement], usedBy: [] }])
      const role = await database.createRole()
      const refused = await uninstallWal({ connection: role.url, objects })
      expect(refused.map(({ error }) => error?.code)).toEqual(['ERR_SETUP_REQUIRED'])
      if (how === 'by us') {
        expect(await uninstallWal({ connection: database.url, objects })).toMatchObject([{ error: null }])
      } else {
        await database.query(statement)
      }
      expect(await objectsOf(database)).toEqual([])
      expect(await database.query('SELECT FROM pg_largeobject_metadata')).toHaveLength(1)
    },
  )

  test('leaves a client that runs alone, even one that came after the look', async () => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE t (id int PRIMARY KEY)')
    await using wal = await testSession({ connection: database.url })
    await wal.session.capture([wanted('t')])
    const during = await catalogueSnapshot(database)
    const objects = await objectsOf(database)
    expect(objects.map(({ usedBy }) => usedBy.length)).toEqual([2, 2, 2])
    const stale = objects.map((object) => ({ ...object, usedBy: [] }))
    const removals = await uninstallWal({ connection: database.url, objects: stale })
    expect(removals.map(({ error }) => error?.code)).toEqual(objects.map(() => 'ERR_SUBSCRIPTION_IN_USE'))
    expect(await catalogueSnapshot(database)).toEqual(during)
    await database.query('INSERT INTO t VALUES (1)')
    await wal.count(1)
  })

  test('waits for nobody who waits for the subscription: with force it is removed under their hands', async () => {
    await using database = await postgres.createDatabase()
    const before = await catalogueSnapshot(database)
    await subscribe(database, 'billing')
    const holder = await database.connect({ application_name: 'holder' })
    await holder.query(`SELECT pg_advisory_lock(hashtextextended('rowtap subscription billing', 0))`)
    const objects = await objectsOf(database)
    expect(objects.every(({ usedBy }) => usedBy.length === 1)).toBe(true)
    const refused = await uninstallWal({ connection: database.url, objects })
    expect(refused.map(({ error }) => error?.code)).toEqual(objects.map(() => 'ERR_SUBSCRIPTION_IN_USE'))
    const removed = await uninstallWal({ connection: database.url, objects, force: true })
    expect(removed.map(({ error }) => error)).toEqual([null, null])
    expect(await catalogueSnapshot(database)).toEqual(before)
  })

  test('says of each object why it stays, where the role may not remove it', async () => {
    await using database = await postgres.createDatabase()
    await subscribe(database, 'billing')
    const role = await database.createRole()
    const objects = await objectsOf(database)
    const removals = await uninstallWal({ connection: role.url, objects })
    expect(removals.map(({ error }) => error?.code)).toEqual(['ERR_SETUP_REQUIRED', 'ERR_SETUP_REQUIRED'])
    expect(await objectsOf(database)).toHaveLength(2)
  })
})
