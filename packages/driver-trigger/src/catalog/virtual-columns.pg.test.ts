import { connect } from '@rowtap/core'
import { collect } from '@rowtap/driver-testkit'
import { describePostgres } from '@rowtap/driver-testkit/vitest'
import { expect, test } from 'vitest'
import { triggerDriver } from '../trigger-driver.ts'

const TABLE = `
  CREATE TABLE t (
    doubled int GENERATED ALWAYS AS (v * 2) VIRTUAL, id int PRIMARY KEY,
    tripled int GENERATED ALWAYS AS (v * 3) STORED, v int
  )`

describePostgres('a virtual generated column', (postgres) => {
  test('is left out of rows and named as unavailable, and what else changed is known', async ({ skip }) => {
    skip(postgres.version < 18, 'PostgreSQL 18 and later')
    await using database = await postgres.createDatabase()
    await database.query(TABLE)
    await using client = await connect(triggerDriver({ connection: database.url }))
    const listener = client.listen({ table: 't', where: { tripled: { gte: 6 } } })
    const collector = collect(listener)
    await listener.ready
    await database.query('INSERT INTO t VALUES (DEFAULT, 1, DEFAULT, 2); UPDATE t SET v = 3')
    expect(await collector.count(2, 'the insert and the update')).toMatchObject([
      { new: { id: 1, tripled: 6, v: 2 }, unavailable: ['doubled'] },
      { new: { id: 1, tripled: 9, v: 3 }, changed: ['tripled', 'v'], unavailable: ['doubled'] },
    ])
  })

  test('is refused where a listener names it, with the reason', async ({ skip }) => {
    skip(postgres.version < 18, 'PostgreSQL 18 and later')
    await using database = await postgres.createDatabase()
    await database.query(TABLE)
    await using client = await connect(triggerDriver({ connection: database.url }))
    for (const options of [
      { table: 't', where: { doubled: 2 } },
      { table: 't', columns: ['doubled'] },
      { table: 't', key: ['doubled'] },
    ] as const) {
      const refusal = { code: 'ERR_SETUP_REQUIRED', message: expect.stringMatching(/"doubled".*virtual.*STORED/u) }
      await expect(client.listen(options).ready).rejects.toMatchObject(refusal)
      await expect(client.plan([options])).rejects.toMatchObject(refusal)
    }
  })
})
