import { connect } from '@rowtap/core'
import type { TestDatabase } from '@rowtap/driver-testkit'
import { eventually } from '@rowtap/driver-testkit'
import { describePostgres } from '@rowtap/driver-testkit/vitest'
import { expect, test } from 'vitest'
import { openTestSession } from '../testing/open-test-session.ts'
import { triggerDriver } from '../trigger-driver.ts'

const PARTED = `
  CREATE TABLE parted (id int, part int, PRIMARY KEY (part, id)) PARTITION BY LIST (part);
  CREATE TABLE parted_1 PARTITION OF parted FOR VALUES IN (1);
  CREATE TABLE parted_2 PARTITION OF parted FOR VALUES IN (2);
  CREATE TABLE parted_3 PARTITION OF parted FOR VALUES IN (3)`

type TestConnection = Awaited<ReturnType<TestDatabase['connect']>>

/** Transactions that lock partitions and the table in every order, by sessions that look for deadlocks at once. */
async function writeUntil(writer: TestConnection, index: number, isOver: () => boolean): Promise<number> {
  await writer.query(`SET deadlock_timeout = '10ms'`)
  let id = 0
  for (; !isOver(); id += 1) {
    const key = index * 1_000_000 + id
    const [first, second] = [(id % 3) + 1, ((id + index) % 3) + 1]
    await writer.query('BEGIN')
    await writer.query(`INSERT INTO parted_${first} VALUES (${key}, ${first})`)
    await writer.query('SELECT pg_sleep(0.002)')
    await writer.query(`INSERT INTO parted VALUES (${-key - 1}, ${second})`)
    await writer.query(`UPDATE parted_${second} SET id = id - 1000000000 WHERE id = ${-key - 1}`)
    await writer.query('COMMIT')
    await writer.query('SELECT pg_sleep(0.01)')
  }
  return id
}

/** Captures the table for a while, several times. */
async function attachAndDetach(url: string, rounds: number): Promise<void> {
  for (let round = 0; round < rounds; round += 1) {
    await using session = await openTestSession({ connection: url })
    await session.capture('parted')
    expect(await session.count(1)).not.toHaveLength(0)
  }
}

/** A close leaves what others hold locks on: the next one, which nobody is in the way of, does not. */
async function expectNothingLeft(database: TestDatabase, url: string): Promise<void> {
  const session = await openTestSession({ connection: url })
  await session.capture('parted')
  await session.close()
  expect(await database.query(`SELECT FROM pg_trigger WHERE tgname LIKE '!rowtap%'`)).toHaveLength(0)
}

describePostgres('writers to a partitioned table that look for deadlocks after ten milliseconds', (postgres) => {
  test.each(['owns it', 'may only create triggers on it'])(
    'never fail while clients whose role %s come and go',
    { timeout: 300_000 },
    async (right) => {
      await using database = await postgres.createDatabase()
      await database.query(PARTED)
      const role = await database.createRole()
      await database.query(`
        GRANT CREATE ON DATABASE "${database.name}" TO "${role.name}";
        GRANT SELECT, TRIGGER ON parted TO "${role.name}";
        GRANT TRIGGER ON parted_1, parted_2, parted_3 TO "${role.name}"`)
      const url = right === 'owns it' ? database.url : role.url
      const writers = await Promise.all([1, 2, 3, 4].map(() => database.connect()))
      let over = false
      const writing = writers.map((writer, index) => writeUntil(writer, index, () => over))
      const failed = new Promise<never>((_, reject) => {
        for (const work of writing) work.catch(reject)
      })
      try {
        await Promise.race([attachAndDetach(url, 4), failed])
      } finally {
        over = true
      }
      const written = await Promise.all(writing)
      expect(Math.min(...written)).toBeGreaterThan(0)
      await expectNothingLeft(database, url)
    },
  )

  test('never fail while triggers are dropped by a role that could not drop them before', async () => {
    await using database = await postgres.createDatabase()
    await database.query(PARTED)
    const tables = ['parted', 'parted_1', 'parted_2', 'parted_3']
    const role = await database.createRole()
    await database.query(`
      GRANT CREATE ON DATABASE "${database.name}" TO "${role.name}";
      GRANT SELECT, TRIGGER ON ${tables.join()} TO "${role.name}"`)
    await using client = await connect(triggerDriver({ connection: role.url }))
    await client.listen({ table: 'parted', rows: false }).ready
    const listener = client.listen({ table: 'parted' })
    await listener.ready
    for (const table of tables) await database.query(`ALTER TABLE ${table} OWNER TO "${role.name}"`)
    const writer = await database.connect()
    await writer.query(`SET deadlock_timeout = '10ms'`)
    await writer.query('BEGIN; INSERT INTO parted_1 VALUES (1, 1)')
    const stopped = listener.stop()
    // Whoever holds the lock on the table, and waits for the one on the partition, waits for the writer.
    await writer.query('SELECT pg_sleep(0.1)')
    expect((await writer.query('INSERT INTO parted VALUES (2, 2)')).rowCount).toBe(1)
    await writer.query('COMMIT')
    await stopped
    const dropped = `SELECT FROM pg_trigger WHERE tgrelid = 'parted'::regclass AND tgname = '!rowtap ' || tgrelid::int`
    await eventually(async () => (await database.query(dropped)).length === 0, 'triggers without rows')
  })
})
