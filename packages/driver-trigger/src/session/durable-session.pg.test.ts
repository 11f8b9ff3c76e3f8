import type { Change, DurableSubscription } from '@rowtap/core/driver'
import { eventually } from '@rowtap/driver-testkit'
import { describePostgres } from '@rowtap/driver-testkit/vitest'
import { expect, test } from 'vitest'
import { describeChange, openTestSession } from '../testing/open-test-session.ts'
import { triggerDriver } from '../trigger-driver.ts'
import { uninstallTrigger } from '../uninstall/uninstall-trigger.ts'

function billing(options: Partial<DurableSubscription> = {}): DurableSubscription {
  return { name: 'billing', wait: true, onPositionLost: 'stop', ...options }
}

function identity({ id, position, transaction, kind }: Change): unknown {
  return [id, position, transaction.id, kind]
}

const TABLES = 'CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE u (id int PRIMARY KEY)'

describePostgres('a durable session', (postgres) => {
  test('goes on where the one before it ended, with the same ids, positions and order', async () => {
    await using database = await postgres.createDatabase()
    await database.query(TABLES)
    const first = await openTestSession({ connection: database.url }, billing())
    expect(first.session.resumed).toEqual([])
    first.holdBack()
    await first.capture('t', 'u')
    const writer = await database.connect()
    // The one that began first, and has the lowest number, commits last.
    await writer.query('BEGIN; INSERT INTO t VALUES (1)')
    await database.query('INSERT INTO t VALUES (2); INSERT INTO t VALUES (3), (4)')
    await first.count(3)
    await writer.query('COMMIT')
    await writer.end()
    await database.query('BEGIN; INSERT INTO u VALUES (5); TRUNCATE t, u; COMMIT')
    const before = [...(await first.count(7))]
    const [, second] = before
    if (second !== undefined) first.session.acknowledge(second.position)
    await first.close()
    await database.query('INSERT INTO t VALUES (8)')

    await using next = await openTestSession({ connection: database.url }, billing())
    const tables = next.session.resumed?.map(({ table }) => table.name)
    expect(tables?.toSorted()).toEqual(['t', 'u'])
    const after = await next.count(6)
    expect(after.slice(0, 5).map(identity)).toEqual(before.slice(2).map(identity))
    expect(after.slice(5).map(describeChange)).toEqual(['insert t new=(8)'])
    expect(after.map(({ position }) => position)).toEqual(after.map(({ position }) => position).toSorted())
    expect(next.notices).toEqual([])
  })

  test('delivers nothing again that was handled within a large tick', async () => {
    await using database = await postgres.createDatabase()
    await database.query(TABLES)
    const first = await openTestSession({ connection: database.url }, billing())
    await first.capture('t')
    await first.close()
    for (let round = 0; round < 3; round += 1) {
      await database.query('INSERT INTO t SELECT generate_series($1::int * 5000, $1::int * 5000 + 4999)', [round])
    }
    const second = await openTestSession({ connection: database.url }, billing())
    second.holdBack()
    const changes = await second.count(15_000)
    const last = changes[7_499]
    if (last !== undefined) second.session.acknowledge(last.position)
    await second.close()
    await using third = await openTestSession({ connection: database.url }, billing())
    expect((await third.count(7_500)).map(identity)).toEqual(changes.slice(7_500).map(identity))
    expect(third.changes).toHaveLength(7_500)
  })

  test('is not shown what was written to a table before it was captured, however often it goes on', async () => {
    await using database = await postgres.createDatabase()
    await database.query(TABLES)
    await using other = await openTestSession({ connection: database.url })
    await other.capture('u')
    const first = await openTestSession({ connection: database.url }, billing())
    first.holdBack()
    await first.capture('t')
    await database.query('BEGIN; INSERT INTO t VALUES (1); INSERT INTO u VALUES (2); COMMIT')
    await first.count(1)
    await first.capture('t', 'u')
    await database.query('BEGIN; INSERT INTO t VALUES (3); INSERT INTO u VALUES (4); COMMIT')
    const before = [...(await first.count(3))]
    await first.close()
    await using next = await openTestSession({ connection: database.url }, billing())
    expect((await next.count(3)).map(identity)).toEqual(before.map(identity))
    expect(next.changes.map(describeChange)).toEqual(['insert t new=(1)', 'insert t new=(3)', 'insert u new=(4)'])
  })

  test('has a place of its own among several, and the queue keeps what each has still to see', async () => {
    await using database = await postgres.createDatabase()
    await database.query(TABLES)
    const names = ['billing', 'search'] as const
    const sessions = await Promise.all(
      names.map((name) => openTestSession({ connection: database.url }, billing({ name }))),
    )
    for (const session of sessions) await session.capture('t')
    const [one, other] = sessions
    await database.query('INSERT INTO t VALUES (1)')
    await Promise.all(sessions.map((session) => session.count(1)))
    await other?.close()
    await database.query('INSERT INTO t VALUES (2)')
    await one?.count(2)
    await one?.close()
    await using later = await openTestSession({ connection: database.url }, billing({ name: 'search' }))
    expect((await later.count(1)).map(describeChange)).toEqual(['insert t new=(2)'])
    await using earlier = await openTestSession({ connection: database.url }, billing())
    await database.query('INSERT INTO t VALUES (3)')
    expect((await earlier.count(1)).map(describeChange)).toEqual(['insert t new=(3)'])
  })

  test('is the only one with its subscription, and the next one waits for its end, or does not', async () => {
    await using database = await postgres.createDatabase()
    await database.query(TABLES)
    const driver = triggerDriver({ connection: database.url })
    const notices: unknown[] = []
    const host = (subscription: DurableSubscription) => ({
      subscription,
      signal: new AbortController().signal,
      planOnly: false,
      messages: false,
      notify: (notice: unknown) => void notices.push(notice),
    })
    const first = await openTestSession({ connection: database.url }, billing())
    await first.capture('t')
    await expect(driver.open(host(billing({ wait: false })))).rejects.toMatchObject({
      code: 'ERR_SUBSCRIPTION_IN_USE',
      retryable: true,
    })
    const waiting = driver.open(host(billing()))
    await eventually(() => notices.length > 0, 'a notice of the process that is waited for')
    expect(notices[0]).toMatchObject({ kind: 'wait', processIds: [expect.any(Number)] })
    await first.close()
    const next = await waiting
    expect(next.resumed).toHaveLength(1)
    await next.close()
  })

  test('is told of what was done to its tables and triggers while nobody ran', async () => {
    await using database = await postgres.createDatabase()
    await database.query(TABLES)
    const first = await openTestSession({ connection: database.url }, billing())
    await first.capture('t', 'u')
    await first.close()
    await database.query(
      'ALTER TABLE t DISABLE TRIGGER USER; INSERT INTO t VALUES (1); ALTER TABLE t ENABLE TRIGGER USER; DROP TABLE u',
    )
    await using next = await openTestSession({ connection: database.url }, billing())
    await eventually(() => next.notices.filter(({ kind }) => kind === 'gap').length >= 2, 'two gaps')
    expect(next.session.resumed?.map(({ table }) => table.name)).toEqual(['t'])
    const reasons = next.notices.map((notice) => (notice.kind === 'gap' ? notice.reason : notice.kind))
    expect(reasons.toSorted()).toEqual([
      expect.stringContaining('public.t was altered: its triggers were switched off for a while'),
      expect.stringContaining('public.u was dropped while no client ran'),
    ])
  })

  test('is told of a table that was renamed, and of another one that came to have its name, while nobody ran', async () => {
    await using database = await postgres.createDatabase()
    await database.query(TABLES)
    const first = await openTestSession({ connection: database.url }, billing())
    await first.capture('t', 'u')
    await first.close()
    await database.query(`
      INSERT INTO t VALUES (1); ALTER TABLE t RENAME TO t_before; CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (2);
      DROP TABLE u; CREATE TABLE u (id int PRIMARY KEY)`)
    const next = await openTestSession({ connection: database.url }, billing())
    await next.count(1)
    expect(next.session.resumed?.map(({ table }) => table.name)).toEqual(['t_before'])
    expect(next.notices).toMatchObject([
      {
        kind: 'gap',
        tables: [
          { schema: 'public', name: 't' },
          { schema: 'public', name: 'u' },
        ],
        reason: expect.stringMatching(
          /public\.t has come to be called public\.t_before .* public\.t is another table by now, .* public\.u was dropped .* public\.u is another table/u,
        ),
      },
    ])
    await next.capture('t_before', 't', 'u')
    await database.query('INSERT INTO t VALUES (3); INSERT INTO t_before VALUES (4); INSERT INTO u VALUES (5)')
    expect((await next.count(4)).map(describeChange)).toEqual([
      'insert t_before new=(1)',
      'insert t new=(3)',
      'insert t_before new=(4)',
      'insert u new=(5)',
    ])
    await next.close()
    await using last = await openTestSession({ connection: database.url }, billing())
    await last.capture('t_before', 't', 'u')
    expect(last.notices).toEqual([])
  })

  test('goes on with a table that was renamed while nobody ran by its new name, and nothing is missing', async () => {
    await using database = await postgres.createDatabase()
    await database.query(TABLES)
    const first = await openTestSession({ connection: database.url }, billing())
    await first.capture('t')
    await first.close()
    await database.query('INSERT INTO t VALUES (1); ALTER TABLE t RENAME TO t_before; INSERT INTO t_before VALUES (2)')
    await using next = await openTestSession({ connection: database.url }, billing())
    expect(next.session.resumed?.map(({ table }) => table.name)).toEqual(['t_before'])
    await next.capture('t_before')
    expect((await next.count(2)).map(describeChange)).toEqual(['insert t_before new=(1)', 'insert t_before new=(2)'])
    expect(next.notices).toEqual([])
  })

  test('is told of triggers that were dropped while nobody ran, and makes them anew', async () => {
    await using database = await postgres.createDatabase()
    await database.query(TABLES)
    const first = await openTestSession({ connection: database.url }, billing())
    await first.capture('t')
    await first.close()
    await database.query('DROP TRIGGER "!rowtap insert" ON t; INSERT INTO t VALUES (1)')
    await using next = await openTestSession({ connection: database.url }, billing())
    expect(next.notices).toMatchObject([{ kind: 'gap', reason: expect.stringContaining('has lost its triggers') }])
    await next.capture('t')
    await database.query('INSERT INTO t VALUES (2)')
    expect((await next.count(1)).map(describeChange)).toEqual(['insert t new=(2)'])
  })

  test('whose place is lost while it runs says so, or begins anew with a gap when it is told to', async () => {
    await using database = await postgres.createDatabase()
    await database.query(TABLES)
    const stopping = await openTestSession({ connection: database.url }, billing())
    await using restarting = await openTestSession(
      { connection: database.url },
      billing({ name: 'search', onPositionLost: 'restart' }),
    )
    for (const session of [stopping, restarting]) await session.capture('t')
    await database.query('INSERT INTO t VALUES (1)')
    await Promise.all([stopping.count(1), restarting.count(1)])
    await database.query('DELETE FROM rowtap.consumer')
    await eventually(() => stopping.error() !== null, 'the error')
    expect(stopping.error()).toMatchObject({ code: 'ERR_POSITION_LOST', retryable: false })
    await eventually(() => restarting.notices.some(({ kind }) => kind === 'gap'), 'the gap')
    await database.query('INSERT INTO t VALUES (2)')
    const changes = await restarting.count(2)
    expect(changes.map(describeChange)).toEqual(['insert t new=(1)', 'insert t new=(2)'])
    const gap = restarting.notices.find((notice) => notice.kind === 'gap')
    expect(gap?.from).toBe(changes[0]?.position)
    expect(String(gap?.to) < String(changes[1]?.position)).toBe(true)
    await stopping.close()
  })

  test('whose queue is uninstalled says so', async () => {
    await using database = await postgres.createDatabase()
    await database.query(TABLES)
    const session = await openTestSession({ connection: database.url }, billing())
    await session.capture('t')
    expect(await uninstallTrigger({ connection: database.url, force: true })).toBeNull()
    await eventually(() => session.error() !== null, 'the error')
    expect(session.error()).toMatchObject({ code: 'ERR_POSITION_LOST' })
    await session.close()
  })

  test('on a server that is at an earlier place than it says so, or begins anew when it is told to', async () => {
    await using database = await postgres.createDatabase()
    await database.query(TABLES)
    const first = await openTestSession({ connection: database.url }, billing())
    await first.capture('t')
    await first.close()
    // As on a server that was restored from a dump, whose transactions are numbered anew.
    await database.query(`UPDATE rowtap.consumer SET place = '900000000:900000000:'`)
    const refused = openTestSession({ connection: database.url }, billing())
    await expect(refused).rejects.toMatchObject({ code: 'ERR_POSITION_LOST', message: /onPositionLost: 'restart'/u })
    await using next = await openTestSession({ connection: database.url }, billing({ onPositionLost: 'restart' }))
    await eventually(() => next.notices.some(({ kind }) => kind === 'gap'), 'the gap')
    await next.capture('t')
    await database.query('INSERT INTO t VALUES (2)')
    expect((await next.count(1)).map(describeChange)).toEqual(['insert t new=(2)'])
  })

  test('keeps writers capturing while nobody runs, and lets them end when it is removed', async () => {
    await using database = await postgres.createDatabase()
    await database.query(TABLES)
    const until = async (): Promise<number> => {
      const [row] = await database.query(
        `SELECT (last_value >> 3)::float8 - extract(epoch FROM now())::float8 AS seconds FROM rowtap.state`,
      )
      return Number(row?.['seconds'])
    }
    await using ephemeral = await openTestSession({ connection: database.url })
    await ephemeral.capture('u')
    expect(await until()).toBeLessThan(120)
    const session = await openTestSession({ connection: database.url }, billing())
    await session.capture('t')
    await session.close()
    expect(await until()).toBeGreaterThan(1e9)
    expect(await uninstallTrigger({ connection: database.url, subscriptions: ['billing'] })).toBeNull()
    expect(await until()).toBeLessThan(86_400 + 120)
    expect(await database.query(`SELECT FROM pg_trigger WHERE tgrelid = 't'::regclass`)).toEqual([])
    await database.query('INSERT INTO u VALUES (1)')
    await ephemeral.count(1)
  })
})
