import { connect } from '@rowtap/core'
import type { DriverNotice } from '@rowtap/core/driver'
import { RowtapError } from '@rowtap/core/driver'
import type { TestDatabase } from '@rowtap/driver-testkit'
import { cutConnections, eventually } from '@rowtap/driver-testkit'
import { describePostgres } from '@rowtap/driver-testkit/vitest'
import { expect, test } from 'vitest'
import { describeChange, openTestSession } from '../testing/open-test-session.ts'
import { triggerDriver } from '../trigger-driver.ts'
import { uninstallTrigger } from '../uninstall/uninstall-trigger.ts'

const BILLING = { name: 'billing', wait: false, onPositionLost: 'stop' } as const
const RECONNECT = { minDelayMs: 10, maxDelayMs: 100 }
const TRIGGERS_ONLY = `WHEN TAG IN ('DROP TRIGGER', 'CREATE TRIGGER')`

/** From now on nobody may change definitions, or only those of triggers. */
async function freeze(database: TestDatabase, what = '', body = `RAISE EXCEPTION 'freeze: no DDL'`): Promise<void> {
  await database.query(`
    CREATE FUNCTION refuse() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN ${body}; END $$;
    CREATE EVENT TRIGGER no_ddl ON ddl_command_start ${what} EXECUTE FUNCTION refuse()`)
}

async function thaw(database: TestDatabase): Promise<void> {
  await database.query('DROP EVENT TRIGGER no_ddl')
}

function tellingOf(notices: readonly DriverNotice[], text: string): readonly DriverNotice[] {
  return notices.filter((notice) => notice.kind !== 'reconnect' && notice.reason.includes(text))
}

async function triggersOn(database: TestDatabase, table: string): Promise<readonly unknown[]> {
  const rows = await database.query(
    `SELECT tgname FROM pg_trigger WHERE tgrelid = '${table}'::regclass AND NOT tgisinternal ORDER BY tgname`,
  )
  return rows.map(({ tgname }) => tgname)
}

describePostgres('where somebody refuses changes of definitions', (postgres) => {
  test('what is captured goes on, and what has to be made anew is told with what to do, and made when it may be', async () => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE t (id int PRIMARY KEY)')
    await using session = await openTestSession({ connection: database.url, reconnect: RECONNECT }, BILLING)
    await session.capture('t')
    await freeze(database, TRIGGERS_ONLY)
    await database.query('CREATE TABLE c () INHERITS (t)')
    await eventually(() => session.error() !== null || session.notices.length > 0, 'a notice')
    expect(session.error()).toBeNull()
    const [row] = await database.query(`SELECT 't'::regclass::oid::text AS oid`)
    expect(session.notices).toEqual([
      {
        kind: 'gap',
        from: null,
        to: null,
        reason: expect.stringMatching(
          /public\.t has come to inherit.* may have been missed\..*drop the trigger "!rowtap insert" on public\.t, to create another one: freeze: no DDL.*allow that to the role/iu,
        ),
      },
    ])
    await database.query('INSERT INTO t VALUES (1)')
    await session.count(1)
    await thaw(database)
    await eventually(
      async () => (await triggersOn(database, 't')).includes(`!rowtap ${String(row?.['oid'])}`),
      'the trigger that captures both',
    )
    await database.query('INSERT INTO c VALUES (2); INSERT INTO t VALUES (3)')
    await session.count(2)
    // From here on nothing is missed any more.
    await eventually(() => tellingOf(session.notices, 'has come to inherit').length === 2, 'the end of it')
    expect(session.notices).toHaveLength(2)
    expect(session.changes.map(describeChange)).toContain('insert t new=(3)')
  })

  test.each([
    ['with an error of its own', `RAISE EXCEPTION 'freeze: no DDL'`],
    ['for want of a privilege', `RAISE EXCEPTION 'freeze: no DDL' USING ERRCODE = 'insufficient_privilege'`],
    ['by failing itself', 'INSERT INTO nowhere VALUES (1)'],
  ])('what nobody wants any more stays, which is told once, and nobody ends for it: %s', async (_, body) => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE u (id int PRIMARY KEY)')
    await using session = await openTestSession({ connection: database.url, reconnect: RECONNECT }, BILLING)
    await session.capture('t', 'u')
    await freeze(database, TRIGGERS_ONLY, body)
    await session.capture('t')
    const told = (): readonly DriverNotice[] => tellingOf(session.notices, 'on public.u')
    expect(told()).toEqual([
      {
        kind: 'wait',
        reason: expect.stringMatching(
          /drop the trigger "!rowtap delete" on public\.u: .*DROP TRIGGER IF EXISTS "!rowtap delete" ON/iu,
        ),
        processIds: [],
      },
    ])
    await database.query('INSERT INTO t VALUES (1)')
    await session.count(1)
    const connected = (): boolean =>
      session.notices.some((notice) => notice.kind === 'reconnect' && notice.outcome === 'connected')
    await cutConnections(database)
    await eventually(() => session.error() !== null || connected(), 'the new connection')
    await database.query('INSERT INTO t VALUES (2)')
    await session.count(2)
    expect(told()).toHaveLength(1)
    await session.close()

    await using next = await openTestSession({ connection: database.url }, BILLING)
    await next.capture('t')
    await database.query('INSERT INTO t VALUES (3)')
    await next.count(1)
    expect(await triggersOn(database, 'u')).toHaveLength(4)
    await thaw(database)
    await eventually(async () => (await triggersOn(database, 'u')).length === 0, 'the triggers are dropped')
  })

  test('a client closes that cannot remove what it made, and says so', async () => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE t (id int PRIMARY KEY)')
    await using session = await openTestSession({ connection: database.url })
    await session.capture('t')
    await freeze(database)
    await session.close()
    expect(tellingOf(session.notices, 'on public.t: freeze: no DDL')).toHaveLength(1)
    const left = await uninstallTrigger({ connection: database.url })
    expect(left).toContain('freeze: no DDL')
    await thaw(database)
    expect(await uninstallTrigger({ connection: database.url })).toBeNull()
    expect(await triggersOn(database, 't')).toEqual([])
  })

  test('a client closes without a word where everything can be removed at once', async () => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE t (id int PRIMARY KEY)')
    await using session = await openTestSession({ connection: database.url })
    await session.capture('t')
    await freeze(database, TRIGGERS_ONLY)
    await session.close()
    expect(session.notices).toEqual([])
    expect(await triggersOn(database, 't')).toEqual([])
  })

  test('a table that is new is refused with the statement, and the others are captured as before', async () => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE u (id int PRIMARY KEY)')
    await using session = await openTestSession({ connection: database.url })
    await session.capture('t')
    await freeze(database)
    const refused = await session.capture('t', 'u').catch((error: unknown) => error)
    expect(RowtapError.is(refused, 'ERR_SETUP_REQUIRED')).toBe(true)
    expect(String(refused)).toMatch(
      /create the trigger "!rowtap insert" on public\.u: freeze: no DDL.*CREATE TRIGGER/iu,
    )
    await database.query('INSERT INTO t VALUES (1)')
    await session.count(1)
  })

  test('triggers that only cost more than they need stay, which is told once', async () => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE c () INHERITS (t)')
    await using session = await openTestSession({ connection: database.url })
    await session.capture('t')
    const byRow = await triggersOn(database, 't')
    await freeze(database, TRIGGERS_ONLY)
    await database.query('DROP TABLE c')
    await eventually(() => session.error() !== null || session.notices.length > 0, 'a notice')
    expect(session.error()).toBeNull()
    const refusal = expect.stringMatching(/drop the trigger "!rowtap \d+" on public\.t, .*: freeze: no DDL/u)
    expect(session.notices).toEqual([{ kind: 'wait', reason: refusal, processIds: [] }])
    await database.query('INSERT INTO t VALUES (1)')
    await session.count(1)
    await thaw(database)
    await eventually(async () => !(await triggersOn(database, 't')).includes(byRow[0]), 'the cheaper triggers')
    await database.query('INSERT INTO t VALUES (2)')
    await session.count(2)
    expect(session.notices).toHaveLength(1)
  })

  test('a listener of rows comes to an end, and one without rows goes on', async () => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE t (id int PRIMARY KEY)')
    await using client = await connect(triggerDriver({ connection: database.url }), { on: { wait: () => {} } })
    let signals = 0
    const signalled = client.listen({ table: 't', rows: false })
    signalled.on('change', () => {
      signals += 1
    })
    await signalled.ready
    const rows = client.listen({ table: 't' })
    await rows.ready
    await freeze(database, TRIGGERS_ONLY)
    await rows.stop()
    await database.query('INSERT INTO t VALUES (1)')
    await eventually(() => signals > 0, 'a signal')
    expect(await triggersOn(database, 't')).toContain('!rowtap insert')
    await thaw(database)
    await eventually(async () => !(await triggersOn(database, 't')).includes('!rowtap insert'), 'no triggers of rows')
  })

  test('a table that is altered is captured as before, though its own function cannot be made anew', async () => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE t (id int PRIMARY KEY)')
    await using session = await openTestSession({ connection: database.url, pushdown: 'conditions' })
    await session.capture('t')
    const source = `SELECT prosrc FROM pg_proc WHERE proname LIKE 'capture %' AND pronargs = 0`
    const before = await database.query(source)
    expect(before).toHaveLength(1)
    await database.query('ALTER TABLE t ADD COLUMN n int')
    await freeze(database)
    await database.query('INSERT INTO t VALUES (1, 2)')
    await session.count(1)
    await eventually(() => session.error() !== null || session.notices.length > 0, 'a notice')
    expect(session.error()).toBeNull()
    expect(tellingOf(session.notices, 'captured of public.t stays as it was')).toHaveLength(1)
    expect(tellingOf(session.notices, 'freeze: no DDL')).toHaveLength(1)
    await thaw(database)
    await eventually(
      async () => JSON.stringify(await database.query(source)) !== JSON.stringify(before),
      'the function is made anew',
    )
    await database.query('INSERT INTO t VALUES (2, 3)')
    await session.count(2)
    expect(session.changes.map(describeChange)).toEqual(['insert t new=(1,2)', 'insert t new=(2,3)'])
  })
})
