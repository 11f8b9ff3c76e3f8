import { cutConnections, eventually } from '@rowtap/driver-testkit'
import { describePostgres } from '@rowtap/driver-testkit/vitest'
import { expect, test } from 'vitest'
import { inspectWal } from '../health/inspect-wal.ts'
import { makeProgress, progressNote } from '../snapshot/progress-sql.ts'
import { notices } from '../testing/notices.ts'
import { testHost, testSession, wanted } from '../testing/test-session.ts'
import { uninstallWal } from '../uninstall/uninstall-wal.ts'
import { walObjects } from '../uninstall/wal-objects.ts'
import { walDriver } from '../wal-driver.ts'
import { dropSubscription } from './drop-subscription.ts'

const OBJECTS = `
  SELECT pubname::text AS name FROM pg_publication
  UNION ALL SELECT slot_name::text FROM pg_replication_slots WHERE database = current_database() ORDER BY 1`
const OID = `SELECT oid::int AS oid FROM pg_database WHERE datname = current_database()`
const SLOT = `SELECT confirmed_flush_lsn::text AS flushed, active FROM pg_replication_slots WHERE database = current_database()`

describePostgres('a durable session', (postgres) => {
  test('goes on where the one before it ended, with the same ids and positions', async () => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE u (id int PRIMARY KEY)')
    const first = await testSession({
      connection: database.url,
      host: testHost({ name: 'billing' }),
      acknowledges: false,
    })
    expect(first.session.resumed).toEqual([])
    await first.session.capture([wanted('t'), wanted('u', ['insert'])])
    await database.query('INSERT INTO t VALUES (1); INSERT INTO t VALUES (2), (3)')
    await database.query('BEGIN; INSERT INTO u VALUES (4); TRUNCATE t, u; COMMIT')
    const before = [...(await first.count(6))]
    const acknowledged = before[0]?.position
    if (acknowledged !== undefined) first.session.acknowledge(acknowledged)
    await first.session.close()
    const [{ oid } = {}] = await database.query(OID)
    expect(await database.query(OBJECTS)).toEqual([
      { name: `rowtap_s_${String(oid)}_billing` },
      { name: 'rowtap_s_billing_all' },
      { name: 'rowtap_s_billing_inserts' },
    ])
    await database.query('INSERT INTO t VALUES (7)')

    await using second = await testSession({ connection: database.url, host: testHost({ name: 'billing' }) })
    expect(second.session.resumed).toMatchObject([wanted('t'), wanted('u', ['insert', 'truncate'])])
    const after = await second.count(before.length + 1)
    expect(after.slice(0, before.length)).toEqual(before)
    expect(after.at(-1)).toMatchObject({ kind: 'insert', new: ['7'] })
    expect(after.map(({ position }) => position)).toEqual(after.map(({ position }) => position).toSorted())
  })

  test('acknowledges when it is closed: the next one begins after that', async () => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE t (id int PRIMARY KEY)')
    const first = await testSession({ connection: database.url, host: testHost({ name: 'billing' }) })
    await first.session.capture([wanted('t')])
    await database.query('INSERT INTO t VALUES (1)')
    const [change] = await first.count(1)
    await first.session.close()
    // A position begins with the place of the commit, as sixteen digits.
    const digits = change?.position.slice(0, 16) ?? ''
    const [slot] = await database.query(
      `SELECT confirmed_flush_lsn > $1::pg_lsn AS whole, active FROM pg_replication_slots WHERE database = current_database()`,
      [`${digits.slice(0, 8)}/${digits.slice(8)}`],
    )
    expect(slot).toEqual({ whole: true, active: false })
    await database.query('INSERT INTO t VALUES (2)')
    await using second = await testSession({ connection: database.url, host: testHost({ name: 'billing' }) })
    expect((await second.count(1)).map((change) => change.new)).toEqual([['2']])
  })

  test('delivers a position that does not depend on what else is captured', async () => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE u (id int PRIMARY KEY)')
    await using few = await testSession({ connection: database.url })
    await using many = await testSession({ connection: database.url })
    await few.session.capture([wanted('t')])
    await many.session.capture([wanted('u'), wanted('t')])
    await database.query('BEGIN; INSERT INTO u VALUES (1); INSERT INTO t VALUES (1), (2); TRUNCATE u, t; COMMIT')
    const positions = (await few.count(3)).map(({ position }) => position)
    const ofMany = (await many.count(5)).filter(({ table }) => table === 't')
    expect(ofMany.map(({ position }) => position)).toEqual(positions)
  })

  test('is the only one with its subscription, and the next one waits for its end, or does not', async () => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE t (id int PRIMARY KEY)')
    await using first = await testSession({ connection: database.url, host: testHost({ name: 'billing' }) })
    await first.session.capture([wanted('t')])
    const refused = walDriver({ connection: database.url }).open(testHost({ name: 'billing', wait: false }))
    await expect(refused).rejects.toMatchObject({ code: 'ERR_SUBSCRIPTION_IN_USE', retryable: true })
    await using other = await testSession({ connection: database.url, host: testHost({ name: 'other', wait: false }) })
    expect(other.session.resumed).toEqual([])

    const host = testHost({ name: 'billing' })
    const waiting = walDriver({ connection: database.url }).open(host)
    await eventually(
      () => host.notices.some(({ kind }) => kind === 'wait'),
      'a notice of the process that is waited for',
    )
    expect(host.notices[0]).toMatchObject({ processIds: [expect.any(Number)] })
    await first.session.close()
    const next = await waiting
    expect(next.resumed).toHaveLength(1)
    await next.close()
  })

  test('stops to wait for the process before it when it is told to', async () => {
    await using database = await postgres.createDatabase()
    await using _first = await testSession({ connection: database.url, host: testHost({ name: 'billing' }) })
    const host = testHost({ name: 'billing' })
    const waiting = walDriver({ connection: database.url }).open(host)
    await eventually(() => host.notices.length > 0, 'a notice')
    host.abort()
    await expect(waiting).rejects.toMatchObject({ code: 'ERR_ABORTED' })
  })

  test('begins where an earlier start was cut off: with publications only, and with an empty slot', async () => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE t (id int PRIMARY KEY); CREATE PUBLICATION rowtap_s_billing_all')
    const first = await testSession({ connection: database.url, host: testHost({ name: 'billing' }) })
    expect(first.session.resumed).toEqual([])
    await first.session.close()
    await using second = await testSession({ connection: database.url, host: testHost({ name: 'billing' }) })
    expect(second.session.resumed).toEqual([])
    await second.session.capture([wanted('t')])
    await database.query('INSERT INTO t VALUES (1)')
    await second.count(1)
  })

  test.each([
    [
      'its slot was dropped',
      `SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE database = current_database()`,
      'slot was dropped',
    ],
    ['its publications were dropped', 'DROP PUBLICATION rowtap_s_billing_all', 'publications were dropped'],
  ])('says that it cannot go on where %s, and begins anew when it is told to', async (_what, statement, reason) => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE t (id int PRIMARY KEY)')
    const first = await testSession({ connection: database.url, host: testHost({ name: 'billing' }) })
    await first.session.capture([wanted('t')])
    await first.session.close()
    await database.query(statement)
    await database.query('INSERT INTO t VALUES (1)')
    const refused = await walDriver({ connection: database.url })
      .open(testHost({ name: 'billing' }))
      .catch((error: unknown) => error)
    expect(refused).toMatchObject({ code: 'ERR_POSITION_LOST', message: expect.stringContaining(reason) })
    const host = testHost({ name: 'billing', onPositionLost: 'restart' })
    await using again = await testSession({ connection: database.url, host, keepsNotices: true })
    expect(notices(host, 'gap')).toMatchObject([{ kind: 'gap', reason: expect.stringContaining(reason) }])
    await again.session.capture([wanted('t')])
    await database.query('INSERT INTO t VALUES (2)')
    expect((await again.count(1)).map((change) => change.new)).toEqual([['2']])
    expect(refused).toMatchObject({
      message: expect.stringMatching(
        /^[^.]+\. Connect with onPositionLost: 'restart' [^.]+, or remove it: rowtap uninstall --subscription billing$/u,
      ),
    })
    await again.session.close()
    await database.query(makeProgress(progressNote('rowtap_s_billing_all')))
    // As the command does.
    const objects = walObjects(await inspectWal({ connection: database.url, sampleMs: 0 }))
    await uninstallWal({ connection: database.url, objects })
    expect(await database.query(OBJECTS)).toEqual([])
    expect(await database.query('SELECT FROM pg_largeobject_metadata')).toEqual([])
  })

  test('has everything acknowledged when it is closed, however shortly after the last change', async () => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE t (id int PRIMARY KEY)')
    for (let round = 1; round <= 15; round += 1) {
      const wal = await testSession({ connection: database.url, host: testHost({ name: 'billing' }) })
      await wal.session.capture([wanted('t')])
      const inserted = database.query('INSERT INTO t VALUES ($1)', [round])
      await wal.count(1)
      await wal.session.close()
      await inserted
      expect(wal.changes.map((change) => change.new)).toEqual([[String(round)]])
    }
  })

  test('waits for those who wrote before its table was published, also when its connection is lost meanwhile', async () => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE t (id int PRIMARY KEY)')
    const host = testHost({ name: 'billing' })
    await using wal = await testSession({ connection: database.url, host })
    const writer = await database.connect()
    await writer.query('BEGIN; INSERT INTO t VALUES (1)')
    const capturing = wal.session.capture([wanted('t')])
    await eventually(
      () => host.notices.some((notice) => notice.kind === 'wait' && notice.processIds.length > 0),
      'the writer is waited for',
    )
    await cutConnections(database)
    await eventually(
      () => host.notices.some((notice) => notice.kind === 'reconnect' && notice.outcome === 'connected'),
      'a new connection',
    )
    await writer.query('INSERT INTO t VALUES (2)')
    let isLive = false
    const live = capturing.then((from) => {
      isLive = true
      return from
    })
    const waits = (): number => host.notices.filter(({ kind }) => kind === 'wait').length
    const before = waits()
    await eventually(() => waits() > before, 'the writer is waited for again')
    expect(isLive).toBe(false)
    await writer.query('COMMIT')
    const from = await live
    await database.query('INSERT INTO t VALUES (3)')
    await eventually(() => wal.changes.at(-1)?.new?.[0] === '3', 'the insert after it was live')
    expect(wal.changes.filter(({ position }) => position > from).map((change) => change.new)).toEqual([['3']])
  })

  test('keeps no log of what nobody wants: on an idle database, and beside a busy table', async () => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE other (id int)')
    await using wal = await testSession({ connection: database.url, host: testHost({ name: 'billing' }) })
    await wal.session.capture([wanted('t')])
    const isLetGo = async (): Promise<boolean> => {
      const [row] = await database.query(
        `SELECT confirmed_flush_lsn >= $1::pg_lsn AND restart_lsn >= $2::pg_lsn AS gone FROM pg_replication_slots WHERE database = current_database()`,
        [place, restart],
      )
      return row?.['gone'] === true
    }
    const [before] = await database.query(
      `SELECT pg_current_wal_flush_lsn()::text AS place, restart_lsn::text AS restart FROM pg_replication_slots WHERE database = current_database()`,
    )
    let place = String(before?.['place'])
    let restart = String(before?.['restart'])
    await eventually(isLetGo, 'an idle slot moves on')
    await database.query('INSERT INTO other SELECT generate_series(1, 20000)')
    await database.query('CHECKPOINT')
    const [after] = await database.query('SELECT pg_current_wal_flush_lsn()::text AS place')
    restart = place
    place = String(after?.['place'])
    await eventually(isLetGo, 'a slot moves on while another table is written to')
    expect(wal.changes).toEqual([])
  })

  test('shows in a plan what stays, and what a later start does without', async () => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE t (id int PRIMARY KEY)')
    const statements = async (): Promise<readonly string[]> => {
      const planning = await walDriver({ connection: database.url }).open({
        ...testHost({ name: 'billing' }),
        planOnly: true,
      })
      const plan = await planning.plan([wanted('t')])
      await planning.close()
      return plan.map(({ sql }) => sql)
    }
    const [{ oid } = {}] = await database.query(OID)
    const first = await statements()
    expect(first[0]).toContain(`pg_try_advisory_lock(hashtextextended('rowtap subscription ' || 'billing', 0))`)
    // What a subscription of this name has left is removed, where there is any.
    expect(first[1]).toMatch(/lo_unlink.*rowtap_s_billing_all/s)
    expect(first.filter((sql) => sql.startsWith('CREATE'))).toEqual([
      expect.stringContaining('CREATE PUBLICATION "rowtap_s_billing_all"'),
      expect.stringContaining('CREATE PUBLICATION "rowtap_s_billing_inserts"'),
      `CREATE_REPLICATION_SLOT "rowtap_s_${String(oid)}_billing" LOGICAL pgoutput NOEXPORT_SNAPSHOT`,
    ])
    expect(await database.query(OBJECTS)).toEqual([])
    const wal = await testSession({ connection: database.url, host: testHost({ name: 'billing' }) })
    await wal.session.capture([wanted('t')])
    await wal.session.close()
    expect(await statements()).toEqual([
      first[0],
      'COMMENT ON PUBLICATION "rowtap_s_billing_inserts" IS :state',
      'COMMENT ON PUBLICATION "rowtap_s_billing_all" IS :limit',
      expect.stringContaining('START_REPLICATION'),
    ])
  })

  test('is removed when nobody has it, and not before', async () => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE t (id int PRIMARY KEY)')
    const connection = database.url
    const wal = await testSession({ connection, host: testHost({ name: 'billing' }) })
    await wal.session.capture([wanted('t')])
    await expect(dropSubscription({ connection }, 'billing')).rejects.toMatchObject({ code: 'ERR_SUBSCRIPTION_IN_USE' })
    await expect(dropSubscription({ connection }, 'Billing')).rejects.toMatchObject({ code: 'ERR_INVALID_OPTIONS' })
    await wal.session.close()
    await dropSubscription({ connection }, 'billing')
    await dropSubscription({ connection }, 'billing')
    expect(await database.query(OBJECTS)).toEqual([])
  })

  test('has a slot that standbys copy where it is told to and the server can, otherwise says why not', async () => {
    await using database = await postgres.createDatabase()
    const connection = database.url
    await expect(walDriver({ connection, failover: true }).open(testHost())).rejects.toMatchObject({
      code: 'ERR_INVALID_OPTIONS',
    })
    const isFailover = `SELECT to_jsonb(s) ->> 'failover' AS failover FROM pg_replication_slots AS s WHERE database = current_database()`
    if (postgres.version < 17) {
      await expect(walDriver({ connection, failover: true }).open(testHost({ name: 'billing' }))).rejects.toMatchObject(
        {
          code: 'ERR_SETUP_REQUIRED',
          message: expect.stringContaining('PostgreSQL 17'),
        },
      )
      return
    }
    const first = await testSession({ connection, host: testHost({ name: 'billing' }), failover: true })
    expect(await database.query(isFailover)).toEqual([{ failover: 'true' }])
    await first.session.close()
    await dropSubscription({ connection }, 'billing')
    const without = await testSession({ connection, host: testHost({ name: 'billing' }) })
    await without.session.close()
    await using later = await testSession({ connection, host: testHost({ name: 'billing' }), failover: true })
    await later.session.capture([])
    expect(await database.query(isFailover)).toEqual([{ failover: 'true' }])
  })

  test('says that its publications are others than those of its slot', async () => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE t (id int PRIMARY KEY)')
    const first = await testSession({ connection: database.url, host: testHost({ name: 'billing' }) })
    await first.session.capture([wanted('t')])
    await first.session.close()
    await database.query('DROP PUBLICATION rowtap_s_billing_all')
    await database.query('INSERT INTO t VALUES (1)')
    await database.query('CREATE PUBLICATION rowtap_s_billing_all FOR TABLE t')
    await expect(walDriver({ connection: database.url }).open(testHost({ name: 'billing' }))).rejects.toMatchObject({
      code: 'ERR_POSITION_LOST',
      message: expect.stringContaining('made anew'),
    })
  })

  test('refuses a slot of its name that is somebody else’s', async () => {
    await using database = await postgres.createDatabase()
    const [{ oid } = {}] = await database.query(OID)
    await database.query(`SELECT pg_create_physical_replication_slot('rowtap_s_' || $1 || '_billing')`, [String(oid)])
    await expect(walDriver({ connection: database.url }).open(testHost({ name: 'billing' }))).rejects.toMatchObject({
      code: 'ERR_SETUP_REQUIRED',
      message: expect.stringContaining('pg_drop_replication_slot'),
    })
    await database.query(`SELECT pg_drop_replication_slot('rowtap_s_' || $1 || '_billing')`, [String(oid)])
  })

  test('goes on after its connections were cut, with nothing lost, repeated or in another order', async () => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE t (id int PRIMARY KEY)')
    await using wal = await testSession({
      connection: database.url,
      host: testHost({ name: 'billing' }),
      acknowledges: false,
    })
    await wal.session.capture([wanted('t')])
    let written = 0
    for (let round = 0; round < 5; round += 1) {
      for (let one = 0; one < 20; one += 1) {
        written += 1
        await database.query('INSERT INTO t VALUES ($1)', [written])
      }
      if (round % 2 === 0) await wal.count(written - 10)
      const last = wal.changes.at(-5)
      if (last !== undefined) wal.session.acknowledge(last.position)
      await cutConnections(database)
      // A call meanwhile waits, and is run.
      await wal.session.capture([wanted('t')])
    }
    await wal.count(written)
    expect(wal.changes.map((change) => Number(change.new?.[0]))).toEqual(
      Array.from({ length: written }, (_, index) => index + 1),
    )
    expect(wal.host.notices.filter(({ kind }) => kind === 'gap')).toEqual([])
    const connected = wal.host.notices.filter((notice) => notice.kind === 'reconnect' && notice.outcome === 'connected')
    expect(connected).toHaveLength(5)
    const last = wal.changes.at(-1)
    if (last !== undefined) wal.session.acknowledge(last.position)
    await eventually(
      async () =>
        (
          await database.query(
            `SELECT confirmed_flush_lsn >= pg_current_wal_flush_lsn() AS whole FROM pg_replication_slots WHERE database = current_database()`,
          )
        )[0]?.['whole'] === true,
      'the slot is where everything is acknowledged',
    )
    expect((await database.query(SLOT))[0]).toMatchObject({ active: true })
  })
})
