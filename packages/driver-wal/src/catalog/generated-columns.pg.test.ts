import { connect } from '@rowtap/core'
import { withPlaces } from '@rowtap/core/conditions'
import { collect } from '@rowtap/driver-testkit'
import { describePostgres } from '@rowtap/driver-testkit/vitest'
import { expect, test } from 'vitest'
import { walDriver } from '../wal-driver.ts'

const TABLE = `
  CREATE TABLE t (
    id int PRIMARY KEY, net int NOT NULL, kind text,
    gross int GENERATED ALWAYS AS (net * 2) STORED
  );
  ALTER TABLE t REPLICA IDENTITY FULL`

describePostgres('a generated column', (postgres) => {
  test('that this server sends serves as any other', async ({ skip }) => {
    skip(postgres.version < 18, 'PostgreSQL 18 and later')
    await using database = await postgres.createDatabase()
    await database.query(TABLE)
    await using client = await connect(walDriver({ connection: database.url }))
    const listener = client.listen({ table: 't', where: { gross: { gte: 10 } }, columns: ['id', 'gross'] })
    const collector = collect(listener)
    await listener.ready
    await database.query('INSERT INTO t VALUES (1, 4), (2, 5); UPDATE t SET net = net + 1')
    const events = await collector.count(3, 'one inserted, one entering, one changed')
    expect(events.map(({ kind, new: row }) => [kind, row?.['gross']])).toEqual([
      ['insert', 10],
      ['insert', 10],
      ['update', 12],
    ])
  })

  test('that no server sends is refused where a listener names it, when it is attached and in a plan', async ({
    skip,
  }) => {
    skip(postgres.version < 18, 'PostgreSQL 18 and later')
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE t (id int PRIMARY KEY, doubled int GENERATED ALWAYS AS (id * 2) VIRTUAL)')
    await using client = await connect(walDriver({ connection: database.url }))
    const refusal = {
      code: 'ERR_SETUP_REQUIRED',
      message: expect.stringMatching(/"doubled".*virtual generated column.*STORED/u),
    }
    const options = { table: 't', where: { doubled: { gte: 10 } }, operations: ['insert'] } as const
    await expect(client.listen(options).ready).rejects.toMatchObject(refusal)
    await expect(client.plan([options])).rejects.toMatchObject(refusal)
  })

  test('that this server does not send is refused where a listener names it, with the reason', async ({ skip }) => {
    skip(postgres.version >= 18, 'PostgreSQL before 18')
    await using database = await postgres.createDatabase()
    await database.query(TABLE)
    await using client = await connect(walDriver({ connection: database.url }))
    const message = expect.stringMatching(
      /^Changes of table public\.t never hold its column "gross" \(named in '(?:where|columns|key)'\)\. It is a generated column, .* PostgreSQL 18 .* driver 'trigger'/u,
    )
    for (const options of [
      { table: 't', where: { gross: { gte: 10 } } },
      { table: 't', where: { gross: null }, operations: ['insert'] },
      { table: 't', where: { not: { gross: 1 } }, transitions: 'idempotent' },
      { table: 't', columns: ['id', 'gross'] },
      { table: 't', columns: ['gross'], operations: ['insert'] },
      { table: 't', key: ['gross'] },
    ] as const) {
      const refusal = { code: 'ERR_SETUP_REQUIRED', message }
      await expect(client.listen(options).ready).rejects.toMatchObject(refusal)
      await expect(client.plan([options])).rejects.toMatchObject(refusal)
    }
    const places = { text: 'net > 1 AND gross IS NULL', column: 12, operator: 12, constants: [] }
    const where = withPlaces({ kind: 'null', column: 'gross', negated: false }, places)
    const inText = client.listen({ table: 't', where: { toCondition: () => Promise.resolve(where) } })
    await expect(inText.ready).rejects.toMatchObject({ cause: { offset: 12 } })
  })

  test('that is not sent is left out of rows and named as unavailable', async ({ skip }) => {
    skip(postgres.version >= 18, 'PostgreSQL before 18')
    await using database = await postgres.createDatabase()
    await database.query(`${TABLE}; ALTER TABLE t DROP CONSTRAINT t_pkey`)
    await using client = await connect(walDriver({ connection: database.url }))
    const listener = client.listen({ table: 't', where: { net: { gte: 5 } } })
    const collector = collect(listener)
    await listener.ready
    await database.query(`INSERT INTO t VALUES (1, 5, 'a'); UPDATE t SET kind = 'b'; UPDATE t SET net = 4`)
    const events = await collector.count(4, 'an insert, a change of the key of all columns, and a row that left')
    expect(events.map(({ kind, key, unavailable }) => [kind, key?.['gross'], unavailable])).toEqual([
      ['insert', undefined, ['gross']],
      ['delete', undefined, ['gross']],
      ['insert', undefined, ['gross']],
      ['delete', undefined, ['gross']],
    ])
  })

  test('that is not sent does not hide what else an update changed', async ({ skip }) => {
    skip(postgres.version >= 18, 'PostgreSQL before 18')
    await using database = await postgres.createDatabase()
    await database.query(TABLE)
    await using client = await connect(walDriver({ connection: database.url }))
    const options = { table: 't', operations: ['update'] } as const
    expect(await client.plan([options])).toMatchObject({ listeners: [{ columns: ['id', 'net', 'kind'] }] })
    const listener = client.listen(options)
    const collector = collect(listener)
    await listener.ready
    await database.query(`INSERT INTO t VALUES (1, 5, 'a'); UPDATE t SET kind = 'b'`)
    expect(await collector.count(1, 'the update')).toMatchObject([{ changed: ['kind'], unavailable: ['gross'] }])
  })
})
