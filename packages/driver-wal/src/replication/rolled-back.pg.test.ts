import { describePostgres } from '@rowtap/driver-testkit/vitest'
import { expect, test } from 'vitest'
import { testSession, wanted } from '../testing/test-session.ts'

/** Larger than what the server keeps in memory, with a savepoint in it. */
const LARGE = `
  BEGIN;
  SAVEPOINT small;
  INSERT INTO t VALUES (1, 'rolled back');
  RELEASE small;
  INSERT INTO t SELECT i, repeat('x', 200) FROM generate_series(2, 3000) AS i;
  ROLLBACK`

describePostgres('a large transaction with a savepoint that is rolled back', (postgres) => {
  // PostgreSQL 18 tells of the savepoint’s end, with a message that only protocol 2 has.
  test.each(['off', 'on'] as const)(
    'is not delivered, and what follows it is, with streaming %s',
    async (streaming) => {
      await using database = await postgres.createDatabase()
      await database.query('CREATE TABLE t (id int PRIMARY KEY, v text)')
      await database.query(`ALTER DATABASE "${database.name}" SET logical_decoding_work_mem = '64kB'`)
      await using wal = await testSession({ connection: database.url, streaming })
      await wal.session.capture([wanted('t')])
      await database.query(LARGE)
      await database.query(`INSERT INTO t VALUES (5000, 'after')`)
      expect((await wal.count(1)).map((change) => change.new)).toEqual([['5000', 'after']])
    },
  )
})
