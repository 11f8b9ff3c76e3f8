import { eventually } from '@rowtap/driver-testkit'
import { describePostgres } from '@rowtap/driver-testkit/vitest'
import { expect, test } from 'vitest'
import { openTestSession } from '../testing/open-test-session.ts'

describePostgres('a gap in the stream', (postgres) => {
  test('is told of after what came before it is handled', async () => {
    await using database = await postgres.createDatabase()
    await database.query(`
      CREATE TABLE t (id int PRIMARY KEY) PARTITION BY RANGE (id);
      CREATE TABLE t1 PARTITION OF t FOR VALUES FROM (0) TO (10)`)
    await using session = await openTestSession({ connection: database.url })
    await session.capture('t')
    session.holdBack()
    await database.query('INSERT INTO t VALUES (1), (2); TRUNCATE t1; INSERT INTO t VALUES (3)')
    const [first, second] = await session.count(3)
    expect(session.notices).toEqual([])
    session.session.acknowledge(first?.position ?? expect.fail())
    session.session.acknowledge(second?.position ?? expect.fail())
    await eventually(() => session.notices.length > 0, 'the gap')
    expect(session.notices.map(({ kind }) => kind)).toEqual(['gap'])
  })
})
