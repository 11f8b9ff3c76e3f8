import type { TestDatabase } from '@rowtap/driver-testkit'
import { describePostgres } from '@rowtap/driver-testkit/vitest'
import { expect, test } from 'vitest'
import { openTestSession } from '../testing/open-test-session.ts'

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

async function attachAndDetach(database: TestDatabase, url: string, rounds: number): Promise<number> {
  let delivered = 0
  for (let round = 0; round < rounds; round += 1) {
    await using session = await openTestSession({ connection: url })
    await session.capture('parted')
    delivered += (await session.count(1)).length
  }
  const triggers = await database.query(`SELECT FROM pg_trigger WHERE tgname LIKE '!rowtap%'`)
  expect(triggers).toHaveLength(0)
  return delivered
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
      const writers = await Promise.all([1, 2, 3, 4].map(() => database.connect()))
      let over = false
      const writing = writers.map((writer, index) => writeUntil(writer, index, () => over))
      const failed = new Promise<never>((_, reject) => {
        for (const work of writing) work.catch(reject)
      })
      try {
        await Promise.race([attachAndDetach(database, right === 'owns it' ? database.url : role.url, 4), failed])
      } finally {
        over = true
      }
      const written = await Promise.all(writing)
      expect(Math.min(...written)).toBeGreaterThan(0)
    },
  )
})
