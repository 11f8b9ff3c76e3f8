import type { DurableSubscription } from '@rowtap/core/driver'
import type { TestDatabase } from '@rowtap/driver-testkit'
import { eventually } from '@rowtap/driver-testkit'
import { describePostgres } from '@rowtap/driver-testkit/vitest'
import { describe, expect, test } from 'vitest'
import type { TestSession } from '../testing/open-test-session.ts'
import { describeChange, openTestSession } from '../testing/open-test-session.ts'
import { restoreQueue } from '../testing/restore-queue.ts'

function billing(onPositionLost: DurableSubscription['onPositionLost']): DurableSubscription {
  return { name: 'billing', wait: true, onPositionLost }
}

const IS_ASLEEP = 'SELECT FROM rowtap.state WHERE last_value & 1 = 1'

/** A queue with changes that a subscription has still to see. */
async function fillQueue(database: TestDatabase): Promise<void> {
  await database.query('CREATE TABLE t (id int PRIMARY KEY)')
  const session = await openTestSession({ connection: database.url }, billing('stop'))
  session.holdBack()
  await session.capture('t')
  await database.query('INSERT INTO t VALUES (1)')
  await session.count(1)
  await session.close()
  await database.query('INSERT INTO t VALUES (2), (3)')
}

/** Opens a subscription that is not to go on, and closes it where it does nevertheless. */
async function refused(database: TestDatabase): Promise<void> {
  const session = await openTestSession({ connection: database.url }, { ...billing('stop'), wait: false })
  await session.close()
}

/** Captures the table t while somebody writes to a table, so that triggers that are there cannot be dropped before. */
async function captureBesideWriter(database: TestDatabase, session: TestSession, written: string): Promise<void> {
  const other = await database.connect()
  await other.query(`BEGIN; LOCK TABLE ${written} IN ROW EXCLUSIVE MODE`)
  const captured = session.capture('t')
  await eventually(() => session.notices.some(({ kind }) => kind === 'wait'), 'a client that waits')
  await other.query('COMMIT')
  await other.end()
  await captured
}

describePostgres('a queue that was restored from a dump', (postgres) => {
  describe.each([
    ['as many transaction ids', 0],
    ['fewer transaction ids', 1_000_000],
  ])('on a server that has given out %s', (_, ahead) => {
    const restored = async (): Promise<AsyncDisposableStack & { readonly database: TestDatabase }> => {
      const stack = new AsyncDisposableStack()
      const before = stack.use(await postgres.createDatabase())
      const database = stack.use(await postgres.createDatabase())
      await fillQueue(before)
      await database.query('CREATE TABLE t (id int PRIMARY KEY)')
      await restoreQueue(before, database, ahead)
      return Object.assign(stack, { database })
    }

    test('is not where a subscription ended', async () => {
      await using stack = await restored()
      const { database } = stack
      const refusal = { code: 'ERR_POSITION_LOST', message: /restored from a dump/u }
      await expect(refused(database)).rejects.toMatchObject(refusal)
      // Nor is it when somebody has begun there.
      await using session = await openTestSession({ connection: database.url })
      await session.capture('t')
      await expect(refused(database)).rejects.toMatchObject(refusal)
    })

    test('is begun anew by a subscription that is told to, with a gap', async () => {
      await using stack = await restored()
      const { database } = stack
      await using session = await openTestSession({ connection: database.url }, billing('restart'))
      await eventually(() => session.notices.some(({ kind }) => kind === 'gap'), 'the gap')
      await session.capture('t')
      await eventually(async () => (await database.query(IS_ASLEEP)).length === 1, 'a reader that is idle')
      await database.query('INSERT INTO t VALUES (4)')
      expect((await session.count(1)).map(describeChange)).toEqual(['insert t new=(4)'])
      const gap = session.notices.find(({ kind }) => kind === 'gap')
      const [change] = session.changes
      expect(gap).toMatchObject({ reason: expect.stringContaining('restored from a dump') })
      if (gap?.kind === 'gap') expect(String(gap.to) < String(change?.position)).toBe(true)
      await session.close()
      await database.query('INSERT INTO t VALUES (5)')
      await using next = await openTestSession({ connection: database.url }, billing('stop'))
      expect((await next.count(1)).map(describeChange)).toEqual(['insert t new=(5)'])
    })

    test('holds nothing for a client that begins there', async () => {
      await using stack = await restored()
      const { database } = stack
      await using session = await openTestSession({ connection: database.url })
      await session.capture('t')
      await eventually(async () => (await database.query(IS_ASLEEP)).length === 1, 'a reader that is idle')
      expect(await database.query('SELECT FROM rowtap.queue')).toEqual([])
      await database.query('INSERT INTO t VALUES (4)')
      expect((await session.count(1)).map(describeChange)).toEqual(['insert t new=(4)'])
    })

    test('is shown to be emptied, and is not, by a plan', async () => {
      await using stack = await restored()
      const { database } = stack
      await using session = await openTestSession({ connection: database.url })
      const table = { schema: 'public', name: 't' }
      const planned = await session.session.plan?.([
        { table, operations: new Set(['insert']), columns: null, comparedEnums: new Set() },
      ])
      expect(planned?.filter(({ sql }) => sql.startsWith('truncate "rowtap".queue_1'))).toHaveLength(1)
      expect((await database.query('SELECT FROM rowtap.queue')).length).toBeGreaterThan(0)
    })

    test('is emptied where somebody holds a lock on it, too', async () => {
      await using stack = await restored()
      const { database } = stack
      const other = await database.connect()
      await other.query('BEGIN; LOCK TABLE rowtap.queue_2 IN ROW EXCLUSIVE MODE')
      await using session = await openTestSession({ connection: database.url })
      await session.capture('t')
      expect(await database.query('SELECT FROM rowtap.queue')).toEqual([])
      await other.query('COMMIT')
      await other.end()
      await database.query('INSERT INTO t VALUES (4)')
      expect((await session.count(1)).map(describeChange)).toEqual(['insert t new=(4)'])
    })
  })

  test('is not where a client goes on that lives on, either', async () => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE t (id int PRIMARY KEY)')
    const options = { connection: database.url, reconnect: { minDelayMs: 10, maxDelayMs: 100 } }
    await using stopping = await openTestSession(options, billing('stop'))
    await using restarting = await openTestSession(options, { ...billing('restart'), name: 'search' })
    for (const session of [stopping, restarting]) await session.capture('t')
    // As who restores a dump writes it.
    await database.query('UPDATE rowtap.installation SET created_at = created_at')
    await database.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'rowtap'`,
    )
    await eventually(() => stopping.error() !== null, 'the end')
    expect(stopping.error()).toMatchObject({ code: 'ERR_POSITION_LOST' })
    await eventually(() => restarting.notices.some(({ kind }) => kind === 'gap'), 'the gap')
    await database.query('INSERT INTO t VALUES (1)')
    expect((await restarting.count(1)).map(describeChange)).toEqual(['insert t new=(1)'])
  })

  test('leaves no triggers behind that would tell of a change twice', async () => {
    await using before = await postgres.createDatabase()
    await using database = await postgres.createDatabase()
    for (const one of [before, database]) {
      await one.query(
        'CREATE TABLE t (id int PRIMARY KEY) PARTITION BY RANGE (id); CREATE TABLE p PARTITION OF t DEFAULT',
      )
    }
    const first = await openTestSession({ connection: before.url }, billing('stop'))
    await first.capture('t')
    await first.close()
    await restoreQueue(before, database, 0)
    await using session = await openTestSession({ connection: database.url })
    await captureBesideWriter(database, session, 'p')
    await database.query('INSERT INTO t VALUES (1)')
    await database.query('INSERT INTO t VALUES (2)')
    expect((await session.count(2)).map(describeChange)).toEqual(['insert t new=(1)', 'insert t new=(2)'])
  })

  test('captures all again of what it captured a part of', async () => {
    await using before = await postgres.createDatabase()
    await using database = await postgres.createDatabase()
    for (const one of [before, database]) await one.query('CREATE TABLE t (id int PRIMARY KEY, v text)')
    const captureId = (one: TestSession, ...operations: readonly ('insert' | 'update')[]) =>
      one.session.capture([
        {
          table: { schema: 'public', name: 't' },
          operations: new Set(operations),
          columns: new Set(['id']),
          comparedEnums: new Set(),
        },
      ])
    const first = await openTestSession({ connection: before.url, pushdown: 'conditions' }, billing('stop'))
    await captureId(first, 'insert', 'update')
    await captureId(first, 'insert')
    await first.close()
    await restoreQueue(before, database, 0)
    await using session = await openTestSession({ connection: database.url })
    await captureBesideWriter(database, session, 't')
    await database.query(`INSERT INTO t VALUES (1, 'x'); UPDATE t SET v = 'y'`)
    expect((await session.count(2)).map(describeChange)).toEqual(['insert t new=(1,x)', 'update t old=(1,x) new=(1,y)'])
  })

  test('goes on in a copy of its database', async () => {
    await using before = await postgres.createDatabase()
    await fillQueue(before)
    await using admin = await postgres.createDatabase()
    // A database that is copied has no other sessions.
    await admin.query('SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = $1', [before.name])
    await using copy = await postgres.createDatabase({ template: before })
    for (const { url } of [before, copy]) {
      await using session = await openTestSession({ connection: url }, billing('stop'))
      expect((await session.count(3)).map(describeChange)).toEqual([1, 2, 3].map((id) => `insert t new=(${id})`))
      expect(session.notices).toEqual([])
    }
  })
})

describePostgres('a reader of the queue', (postgres) => {
  test('takes no notice of transactions that there have not been', async () => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE t (id int PRIMARY KEY)')
    await using session = await openTestSession({ connection: database.url })
    await session.capture('t')
    await database.query('INSERT INTO t VALUES (1)')
    await session.count(1)
    await database.query(`INSERT INTO rowtap.queue_1 SELECT
      ((xid::text::bigint + 1000000)::text::xid8), seq + 1000, root, shape, operation, rows, first, level,
      inserted, updated, deleted, file, old_place, new_place, old, new FROM rowtap.queue`)
    await eventually(async () => (await database.query(IS_ASLEEP)).length === 1, 'a reader that is idle')
    await database.query('INSERT INTO t VALUES (2)')
    expect((await session.count(2)).map(describeChange)).toEqual(['insert t new=(1)', 'insert t new=(2)'])
    await eventually(async () => (await database.query(IS_ASLEEP)).length === 1, 'a reader that is idle again')
  })
})
