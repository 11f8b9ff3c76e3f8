import { eventually } from '@rowtap/driver-testkit'
import { describePostgres } from '@rowtap/driver-testkit/vitest'
import { expect, test } from 'vitest'
import { openTestSession } from '../testing/open-test-session.ts'

describePostgres('a large row', (postgres) => {
  test.each([
    ['without a quote', `repeat('abcdefgh', 250000)`],
    ['of quotes and backslashes', `repeat('a"\\', 500000)`],
    ['of many bytes a character', `repeat('日é"', 300000)`],
  ])('%s arrives whole', async (_, value) => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE t (id int PRIMARY KEY, v text)')
    await using session = await openTestSession({ connection: database.url })
    await session.capture('t')
    const [row] = await database.query(`INSERT INTO t VALUES (1, ${value}) RETURNING v`)
    const [change] = await session.count(1)
    expect(change?.new?.text(1) === row?.['v']).toBe(true)
  })

  test('of more than 128 MB is written, and told of as a gap in its place', async () => {
    await using database = await postgres.createDatabase()
    await database.query(`CREATE TABLE t (id int PRIMARY KEY, b bytea, v text)`)
    await using session = await openTestSession({ connection: database.url })
    await session.capture('t')
    await database.query(`INSERT INTO t VALUES (1, NULL, 'small')`)
    await session.count(1)
    session.holdBack()
    await database.query(`INSERT INTO t VALUES (2, NULL, 'small')`)
    await session.count(2)
    await database.query(`INSERT INTO t VALUES (3, convert_to(repeat('x', 68 * 1024 * 1024), 'UTF8'), 'large')`)
    await database.query(`INSERT INTO t VALUES (4, NULL, 'small')`)
    const changes = await session.count(3)
    expect(changes.map((change) => change.new?.text(0))).toEqual(['1', '2', '4'])
    expect(session.notices).toEqual([])
    session.session.acknowledge(changes[1]?.position ?? expect.fail())
    await eventually(() => session.notices.length > 0, 'the gap')
    expect(session.notices).toEqual([
      { kind: 'gap', from: expect.any(String), to: expect.any(String), reason: expect.stringContaining('128 MB') },
    ])
    await database.query(`DELETE FROM t WHERE id = 3; UPDATE t SET v = 'last' WHERE id = 4`)
    const [, , , last] = await session.count(4)
    expect([last?.kind, last?.new?.text(2)]).toEqual(['update', 'last'])
  })

  test('that cannot be printed at all is written, and told of as a gap', async () => {
    await using database = await postgres.createDatabase()
    await database.query(`
      CREATE TYPE mood AS ENUM ('sad', 'lost'); CREATE TABLE source (m mood); INSERT INTO source VALUES ('lost');
      CREATE TABLE t (id int PRIMARY KEY, m mood)`)
    await using session = await openTestSession({ connection: database.url })
    await session.capture('t')
    await database.query(`DELETE FROM pg_enum WHERE enumtypid = 'mood'::regtype AND enumlabel = 'lost'`)
    await database.query(`INSERT INTO t VALUES (1, 'sad'); INSERT INTO t SELECT 2, m FROM source`)
    await database.query(`INSERT INTO t VALUES (3, 'sad')`)
    const changes = await session.count(2)
    expect(changes.map((change) => change.new?.text(0))).toEqual(['1', '3'])
    await eventually(() => session.notices.length > 0, 'the gap')
    expect(session.notices.map(({ kind }) => kind)).toEqual(['gap'])
  })
})
