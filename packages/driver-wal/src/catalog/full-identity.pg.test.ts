import type { ChangeEvent } from '@rowtap/core'
import { connect, plan } from '@rowtap/core'
import { eventually } from '@rowtap/driver-testkit'
import type { TestDatabase } from '@rowtap/driver-testkit'
import { describePostgres } from '@rowtap/driver-testkit/vitest'
import { expect, test } from 'vitest'
import { walDriver } from '../wal-driver.ts'

const IDENTITIES = `
  SELECT relname AS name, relreplident::text AS identity FROM pg_class
  WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') ORDER BY relname`

async function identities(database: TestDatabase): Promise<string> {
  const rows = await database.query(IDENTITIES)
  return rows.map(({ name, identity }) => `${String(name)} ${String(identity)}`).join(', ')
}

describePostgres('full replica identity on request', (postgres) => {
  test.each([
    ['', 'id', ['id']],
    ['ALTER TABLE t REPLICA IDENTITY USING INDEX t_code_key', 'code', ['code']],
    ['ALTER TABLE t REPLICA IDENTITY FULL', 'code', ['id', 'code', 'v']],
  ])('without it old rows have what the identity gives: %s', async (statement, key, old) => {
    await using database = await postgres.createDatabase()
    await database.query(`CREATE TABLE t (id int PRIMARY KEY, code int NOT NULL UNIQUE, v text); ${statement}`)
    const before = await identities(database)
    await using client = await connect(walDriver({ connection: database.url }))
    const listener = client.listen({ table: 't', key: [key] })
    const events: ChangeEvent[] = []
    listener.on('change', (event) => void events.push(event))
    await listener.ready
    await database.query(`INSERT INTO t VALUES (1, 10, 'a'); DELETE FROM t`)
    await eventually(() => events.length === 2, 'two events')
    expect(events[1]).toMatchObject({ kind: 'delete' })
    const last = events[1]
    expect(last?.kind === 'delete' ? Object.keys(last.old) : null).toEqual(old)
    expect(await identities(database)).toBe(before)
  })

  test.each(['', 'ALTER TABLE t REPLICA IDENTITY USING INDEX t_code_key'])(
    'without it a listener that needs more is refused with the statement: %s',
    async (statement) => {
      await using database = await postgres.createDatabase()
      await database.query(`CREATE TABLE t (id int PRIMARY KEY, code int NOT NULL UNIQUE, v text); ${statement}`)
      await using client = await connect(walDriver({ connection: database.url }))
      await expect(client.listen({ table: 't', where: { v: 'a' } }).ready).rejects.toMatchObject({
        code: 'ERR_SETUP_REQUIRED',
        message: expect.stringContaining('ALTER TABLE "public"."t" REPLICA IDENTITY FULL'),
      })
    },
  )

  test.each(['', 'USING INDEX t_code_key', 'NOTHING', 'FULL'])(
    'with it the whole old row is there from the first change on: %s',
    async (identity) => {
      await using database = await postgres.createDatabase()
      await database.query('CREATE TABLE t (id int PRIMARY KEY, code int NOT NULL UNIQUE, v text)')
      if (identity !== '') await database.query(`ALTER TABLE t REPLICA IDENTITY ${identity}`)
      await database.query(`INSERT INTO t VALUES (1, 10, 'a'), (2, 20, 'b')`)
      const driver = walDriver({ connection: database.url, replicaIdentity: 'full' })
      const options = { table: 't', where: { v: 'a' } }
      const planned = await plan(driver, [options])
      const alterations = planned.statements.filter(({ sql }) => sql.startsWith('ALTER TABLE'))
      expect(alterations.map(({ sql, table }) => [sql, table])).toEqual(
        identity === 'FULL'
          ? []
          : [['ALTER TABLE "public"."t" REPLICA IDENTITY FULL', { schema: 'public', name: 't' }]],
      )
      expect(planned.listeners[0]?.oldRow).toEqual({ columns: 'all', statement: null })
      await using client = await connect(driver)
      const events: string[] = []
      const listener = client.listen(options)
      listener.on('insert', ({ new: row }) => void events.push(`insert ${String(row['id'])}`))
      listener.on('delete', ({ old }) => void events.push(`delete ${JSON.stringify(old)}`))
      await listener.ready
      await database.query(`UPDATE t SET v = 'c' WHERE id = 1; UPDATE t SET v = 'a' WHERE id = 2`)
      await eventually(() => events.length === 2, 'two events')
      expect(events).toEqual(['delete {"id":1,"code":10,"v":"a"}', 'insert 2'])
      await client.close()
      expect(await identities(database)).toBe('t f')
    },
  )

  test('with it partitions are altered, also those that come later, and nothing that only gives inserts', async () => {
    await using database = await postgres.createDatabase()
    await database.query(`
      CREATE TABLE p (id int PRIMARY KEY, v text) PARTITION BY RANGE (id);
      CREATE TABLE p_1 PARTITION OF p FOR VALUES FROM (0) TO (10);
      CREATE TABLE p_2 PARTITION OF p FOR VALUES FROM (10) TO (20);
      CREATE TABLE t (id int PRIMARY KEY)`)
    await using client = await connect(walDriver({ connection: database.url, replicaIdentity: 'full' }))
    await client.listen({ table: 't', operations: ['insert'] }).ready
    const events: ChangeEvent[] = []
    const listener = client.listen({ table: 'p', where: { v: 'a' } })
    listener.on('change', (event) => void events.push(event))
    await listener.ready
    expect(await identities(database)).toBe('p d, p_1 f, p_2 f, t d')
    await database.query('CREATE TABLE p_3 PARTITION OF p FOR VALUES FROM (20) TO (30)')
    await eventually(async () => (await identities(database)).includes('p_3 f'), 'the new partition’s identity')
    await database.query(`INSERT INTO p VALUES (21, 'a'); UPDATE p SET v = 'b'`)
    await eventually(() => events.length === 2, 'what was written to the new partition')
    expect(events.map(({ kind }) => kind)).toEqual(['insert', 'delete'])
    // What is done on purpose is not undone.
    await database.query('ALTER TABLE t REPLICA IDENTITY NOTHING; ALTER TABLE p_1 REPLICA IDENTITY DEFAULT')
    await database.query('CREATE TABLE p_4 PARTITION OF p FOR VALUES FROM (30) TO (40)')
    await eventually(async () => (await identities(database)).includes('p_4 f'), 'the next partition’s identity')
    expect(await identities(database)).toBe('p d, p_1 d, p_2 f, p_3 f, p_4 f, t n')
  })

  test('it waits for those who hold the table, without keeping writers waiting behind it', async () => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE t (id int PRIMARY KEY, v int)')
    const reader = await database.connect()
    await reader.query('BEGIN; SELECT FROM t')
    const waits: (readonly number[])[] = []
    await using client = await connect(walDriver({ connection: database.url, replicaIdentity: 'full' }), {
      on: { wait: ({ processIds }) => void waits.push(processIds) },
    })
    const listener = client.listen({ table: 't' })
    await eventually(() => waits.length > 0, 'the wait is told')
    const { rows } = await reader.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')
    expect(waits[0]).toEqual([rows[0]?.pid])
    const since = performance.now()
    for (let id = 0; id < 20; id += 1) await database.query('INSERT INTO t VALUES ($1)', [id])
    expect(performance.now() - since).toBeLessThan(5000)
    expect(await identities(database)).toBe('t d')
    await reader.query('COMMIT')
    await listener.ready
    expect(await identities(database)).toBe('t f')
  })

  test('a table with a virtual generated column stays as it is, and no statement is offered', async ({ skip }) => {
    if (postgres.version < 18) skip()
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE t (id int PRIMARY KEY, v int, w int GENERATED ALWAYS AS (v + 1) VIRTUAL)')
    await using client = await connect(walDriver({ connection: database.url, replicaIdentity: 'full' }))
    const refused = client.listen({ table: 't', where: { v: 1 } }).ready
    await expect(refused).rejects.toMatchObject({
      code: 'ERR_SETUP_REQUIRED',
      message: expect.not.stringContaining('REPLICA IDENTITY FULL'),
    })
    await client.listen({ table: 't' }).ready
    await database.query('INSERT INTO t (id, v) VALUES (1, 1); UPDATE t SET v = 2')
    expect(await identities(database)).toBe('t d')
  })
})
