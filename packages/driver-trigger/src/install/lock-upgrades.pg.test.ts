import type { TestDatabase } from '@rowtap/driver-testkit'
import { eventually } from '@rowtap/driver-testkit'
import { describePostgres } from '@rowtap/driver-testkit/vitest'
import { expect, test } from 'vitest'
import { openTestSession } from '../testing/open-test-session.ts'

/** Waits until rowtap waits for a lock on t. */
async function untilWaiting(database: TestDatabase): Promise<void> {
  await eventually(async () => (await database.query(WAITING)).length > 0, 'rowtap waits for the lock')
}

const WAITING = `
  SELECT FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
  WHERE NOT l.granted AND l.relation = 't'::regclass AND a.application_name = 'rowtap'`

const LEFT = `SELECT FROM pg_trigger WHERE tgrelid = 't'::regclass AND tgname LIKE '!rowtap%'`

/** Whoever waits for a lock on a table, and holds a lesser one, makes whoever holds a lock that it waits for fail at once. */
describePostgres('a transaction that has written to a table, and asks for a greater lock on it', (postgres) => {
  test.each(['TRUNCATE t', 'ALTER TABLE t ADD COLUMN n int', 'LOCK TABLE t IN ACCESS EXCLUSIVE MODE'])(
    'gets it while triggers wait to be dropped, and nobody has to fail: %s',
    async (statement) => {
      await using database = await postgres.createDatabase()
      await database.query('CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE u (id int PRIMARY KEY)')
      await using session = await openTestSession({ connection: database.url })
      await session.capture('t', 'u')
      const writer = await database.connect()
      await writer.query('BEGIN; INSERT INTO t VALUES (1)')
      const ended = session.capture('u')
      await untilWaiting(database)
      await writer.query(statement)
      await writer.query('COMMIT')
      await ended
      await eventually(async () => (await database.query(LEFT)).length === 0, 'the triggers are dropped')
      expect(session.error()).toBeNull()
    },
  )

  test('gets it while a client closes that was the last one', async () => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE t (id int PRIMARY KEY)')
    await using session = await openTestSession({ connection: database.url })
    await session.capture('t')
    const writer = await database.connect()
    await writer.query('BEGIN; INSERT INTO t VALUES (1)')
    let isClosed = false
    const closed = session.close().finally(() => {
      isClosed = true
    })
    // It does not try for ever.
    await eventually(async () => isClosed || (await database.query(WAITING)).length > 0, 'rowtap waits for the lock')
    await expect(writer.query('ALTER TABLE t ADD COLUMN n int; COMMIT')).resolves.toBeDefined()
    await closed
  })

  test('gets it where an owner drops triggers who may not lock the table', async () => {
    await using database = await postgres.createDatabase()
    const role = await database.createRole()
    await database.query(`
      CREATE TABLE t (id int PRIMARY KEY);
      CREATE TABLE u (id int PRIMARY KEY);
      GRANT CREATE ON DATABASE "${database.name}" TO "${role.name}";
      ALTER TABLE t OWNER TO "${role.name}";
      ALTER TABLE u OWNER TO "${role.name}";
      REVOKE ALL ON t FROM "${role.name}";
      GRANT SELECT, TRIGGER ON t TO "${role.name}"`)
    await using session = await openTestSession({ connection: role.url })
    await session.capture('t', 'u')
    const writer = await database.connect()
    await writer.query('BEGIN; INSERT INTO t VALUES (1)')
    const ended = session.capture('u')
    await untilWaiting(database)
    await writer.query('TRUNCATE t; COMMIT')
    await ended
    await eventually(async () => (await database.query(LEFT)).length === 0, 'the triggers are dropped')
  })

  test('gets it while triggers wait to be replaced by those of another kind', async () => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE t (id int PRIMARY KEY)')
    await using session = await openTestSession({ connection: database.url })
    await session.capture('t')
    const writer = await database.connect()
    await writer.query('BEGIN; LOCK TABLE t IN ROW EXCLUSIVE MODE')
    await database.query('CREATE TABLE c () INHERITS (t)')
    await untilWaiting(database)
    await writer.query('ALTER TABLE t RENAME COLUMN id TO n; COMMIT')
    await eventually(
      async () => (await database.query(`${LEFT} AND tgname = '!rowtap ' || tgrelid::int`)).length > 0,
      'the trigger of the other kind',
    )
    expect(session.error()).toBeNull()
  })
})
