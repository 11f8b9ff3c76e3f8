import type { TestDatabase } from '@rowtap/driver-testkit'
import { eventually } from '@rowtap/driver-testkit'
import { describePostgres } from '@rowtap/driver-testkit/vitest'
import { expect, test } from 'vitest'
import { describeChange, openTestSession } from '../testing/open-test-session.ts'

const QUICK = { minDelayMs: 10, maxDelayMs: 20 }
const TABLES = 'CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE u (id int PRIMARY KEY)'

/** Has the statement with which a table is captured fail, the first times; returns how often it was tried so far. */
async function cancelCapturing(
  database: TestDatabase,
  sqlstate: string,
  times: number,
): Promise<() => Promise<number>> {
  await database.query(`
    CREATE SEQUENCE public.tries MINVALUE 0 START 0;
    CREATE FUNCTION public.cancelled() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF nextval('public.tries') < ${times} THEN
        RAISE EXCEPTION 'canceling statement due to user request' USING ERRCODE = '${sqlstate}';
      END IF;
      RETURN new;
    END $$;
    CREATE TRIGGER cancelled BEFORE INSERT ON rowtap.wanted FOR EACH ROW EXECUTE FUNCTION public.cancelled()`)
  return async () => {
    const [row] = await database.query('SELECT last_value + is_called::int AS tries FROM public.tries')
    return Number(row?.['tries'])
  }
}

describePostgres('a call whose statement is cancelled', (postgres) => {
  test.each(['57014', '53200'])('(%s) is made again, and disturbs nothing', async (sqlstate) => {
    await using database = await postgres.createDatabase()
    await database.query(TABLES)
    await using session = await openTestSession({ connection: database.url, reconnect: QUICK })
    await session.capture('t')
    const tries = await cancelCapturing(database, sqlstate, 2)
    await session.capture('t', 'u')
    expect(await tries()).toBe(3)
    await database.query('INSERT INTO t VALUES (1); INSERT INTO u VALUES (2)')
    expect((await session.count(2)).map(describeChange).toSorted()).toEqual(['insert t new=(1)', 'insert u new=(2)'])
    expect(session.notices).toEqual([])
  })

  test('is made again where somebody has cancelled it', async () => {
    await using database = await postgres.createDatabase()
    await database.query(TABLES)
    await using session = await openTestSession({ connection: database.url, reconnect: QUICK })
    await session.capture('t')
    const other = await database.connect()
    await other.query('BEGIN; LOCK TABLE rowtap.wanted IN ACCESS EXCLUSIVE MODE')
    const called = session.capture('t', 'u')
    await eventually(
      async () =>
        (
          await other.query(
            `SELECT pg_cancel_backend(pid) FROM pg_locks WHERE NOT granted AND relation = 'rowtap.wanted'::regclass`,
          )
        ).rowCount !== 0,
      'a call that waits',
    )
    await other.query('COMMIT')
    await other.end()
    await called
    await database.query('INSERT INTO u VALUES (1)')
    expect((await session.count(1)).map(describeChange)).toEqual(['insert u new=(1)'])
  })

  test('ends with the reason where that happens every time, and the session goes on', async () => {
    await using database = await postgres.createDatabase()
    await database.query(TABLES)
    await using session = await openTestSession({ connection: database.url, reconnect: QUICK })
    await session.capture('t')
    const tries = await cancelCapturing(database, '57014', 1000)
    await expect(session.capture('t', 'u')).rejects.toMatchObject({ code: 'ERR_DATABASE', cause: { code: '57014' } })
    expect(await tries()).toBe(7)
    await database.query('INSERT INTO t VALUES (1)')
    expect((await session.count(1)).map(describeChange)).toEqual(['insert t new=(1)'])
    expect(session.notices).toEqual([])
  })

  test('ends with the reason at once where nothing is to be tried again', async () => {
    await using database = await postgres.createDatabase()
    await database.query(TABLES)
    await using session = await openTestSession({ connection: database.url, reconnect: false })
    await session.capture('t')
    const tries = await cancelCapturing(database, '57014', 1000)
    await expect(session.capture('t', 'u')).rejects.toMatchObject({ code: 'ERR_DATABASE', cause: { code: '57014' } })
    expect(await tries()).toBe(1)
  })

  test('ends soon where the session is closed meanwhile', async () => {
    await using database = await postgres.createDatabase()
    await database.query(TABLES)
    const session = await openTestSession({ connection: database.url, reconnect: { minDelayMs: 86_400_000 } })
    await session.capture('t')
    const tries = await cancelCapturing(database, '57014', 1000)
    const called = session.capture('t', 'u').catch((error: unknown) => error)
    await eventually(async () => (await tries()) > 0, 'the first attempt')
    await session.close()
    expect(await called).toMatchObject({ code: expect.stringMatching(/^ERR_(CLOSED|DATABASE)$/u) })
  })
})
