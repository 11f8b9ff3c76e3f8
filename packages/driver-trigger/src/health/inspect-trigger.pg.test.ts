import assert from 'node:assert/strict'
import { catalogueSnapshot, cutConnections, eventually } from '@rowtap/driver-testkit'
import { describePostgres } from '@rowtap/driver-testkit/vitest'
import { expect, test } from 'vitest'
import { openTestSession } from '../testing/open-test-session.ts'
import { inspectTrigger } from './inspect-trigger.ts'

const SHOP = `
  CREATE TABLE orders (id int PRIMARY KEY, status text);
  CREATE TABLE parted (id int PRIMARY KEY) PARTITION BY RANGE (id);
  CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (10);
`

describePostgres('inspectTrigger', (postgres) => {
  test('tells of a database without a queue that one can be made, and makes none', async () => {
    await using database = await postgres.createDatabase()
    const before = await catalogueSnapshot(database)
    const health = await inspectTrigger({ connection: database.url })
    expect(health).toMatchObject({
      database: database.name,
      server: { isStandby: false, hasPreparedTransactions: true },
      role: { mayCreate: true },
      obstacle: null,
      installations: [],
      tables: [],
      unseen: [],
    })
    expect(Math.floor(health.server.version / 10_000)).toBe(postgres.version)
    expect(await catalogueSnapshot(database)).toEqual(before)
  })

  test('tells what is in the queue, who reads it and what is captured', async () => {
    await using database = await postgres.createDatabase()
    await database.query(SHOP)
    await using session = await openTestSession({ connection: database.url })
    session.holdBack()
    await session.capture('orders', 'parted')
    await database.query(
      `INSERT INTO orders VALUES (1, 'new'), (2, 'new'); ALTER TABLE parted_1 ENABLE ROW LEVEL SECURITY`,
    )
    await session.count(2)
    const { installations, latestVersion } = await inspectTrigger({ connection: database.url })
    expect(installations).toEqual([
      {
        schema: 'rowtap',
        owner: expect.any(String),
        content: {
          version: latestVersion,
          lack: null,
          queue: {
            rows: 2,
            hasMore: false,
            bytes: expect.any(Number),
            oldestTransactionsAgo: expect.any(Number),
            oldestCommitted: null,
          },
          consumers: [
            {
              id: '1',
              subscription: null,
              processId: expect.any(Number),
              isAlive: true,
              createdAt: expect.any(Date),
              leaseUntil: expect.any(Date),
              isExpired: false,
              tables: 2,
              behind: 2,
              goneSince: null,
              dropped: null,
            },
          ],
          captured: [
            { schema: 'public', name: 'orders', faults: [], hasRowSecurity: false },
            { schema: 'public', name: 'parted', faults: [], hasRowSecurity: true },
          ],
          abandoned: [],
        },
      },
    ])
    const content = installations[0]?.content
    expect(content?.queue.bytes).toBeGreaterThan(0)
    expect(content?.queue.oldestTransactionsAgo).toBeGreaterThan(0)
    const lease = (content?.consumers[0]?.leaseUntil?.getTime() ?? 0) - Date.now()
    expect(lease).toBeGreaterThan(0)
    expect(lease).toBeLessThanOrEqual(31_000)
  })

  test('finds triggers that were switched off or dropped, with the statement that mends it', async () => {
    await using database = await postgres.createDatabase()
    await database.query(SHOP)
    await using session = await openTestSession({ connection: database.url })
    await session.capture('orders', 'parted')
    await database.query('ALTER TABLE orders DISABLE TRIGGER ALL; ALTER TABLE parted_1 DISABLE TRIGGER ALL')
    await database.query(`DROP TRIGGER "!rowtap truncate" ON parted`)
    const { installations } = await inspectTrigger({ connection: database.url })
    const [orders, parted] = installations[0]?.content?.captured ?? []
    const enable = /^ALTER TABLE "public"\."orders" ENABLE TRIGGER "!rowtap [^"]+"$/
    expect(orders?.faults).toEqual(
      ['inserts', 'updates', 'deletes', 'truncate'].map((changes) => ({
        table: { schema: 'public', name: 'orders' },
        changes,
        fault: 'disabled',
        statement: expect.stringMatching(enable),
      })),
    )
    expect(parted?.faults.map(({ table, changes, fault }) => [table.name, changes, fault])).toEqual([
      ['parted', 'truncate', 'missing'],
      ['parted_1', 'rows', 'disabled'],
      ['parted_1', 'truncate', 'disabled'],
    ])
    for (const { statement } of [...(orders?.faults ?? []), ...(parted?.faults ?? [])])
      if (statement !== null) await database.query(statement)
    const after = await inspectTrigger({ connection: database.url })
    expect(after.installations[0]?.content?.captured.flatMap(({ faults }) => faults)).toMatchObject([
      { table: { name: 'parted' }, fault: 'missing' },
    ])
  })

  test('finds that one of the triggers of a table is missing or switched off, and not the others', async () => {
    await using database = await postgres.createDatabase()
    await database.query(SHOP)
    await using session = await openTestSession({ connection: database.url })
    await session.capture('orders')
    await database.query('DROP TRIGGER "!rowtap update" ON orders; ALTER TABLE orders DISABLE TRIGGER "!rowtap delete"')
    const { installations } = await inspectTrigger({ connection: database.url })
    const table = { schema: 'public', name: 'orders' }
    expect(installations[0]?.content?.captured.flatMap(({ faults }) => faults)).toEqual([
      { table, changes: 'updates', fault: 'missing', statement: null },
      {
        table,
        changes: 'deletes',
        fault: 'disabled',
        statement: 'ALTER TABLE "public"."orders" ENABLE TRIGGER "!rowtap delete"',
      },
    ])
  })

  test('finds a reader that crashed, and a trigger that nobody wants', async () => {
    await using database = await postgres.createDatabase()
    await database.query(SHOP)
    await using session = await openTestSession({ connection: database.url, reconnect: false })
    await session.capture('orders')
    await cutConnections(database)
    await eventually(() => session.error() !== null, 'the crash')
    await database.query(
      `UPDATE rowtap.consumer SET lease_until = now() - interval '1 minute'; DELETE FROM rowtap.wanted`,
    )
    const content = (await inspectTrigger({ connection: database.url })).installations[0]?.content
    expect(content?.consumers).toMatchObject([{ isAlive: false, isExpired: true, tables: 0 }])
    expect(content?.abandoned.map(({ table }) => table)).toEqual([
      { schema: 'public', name: 'orders' },
      { schema: 'public', name: 'orders' },
      { schema: 'public', name: 'orders' },
      { schema: 'public', name: 'orders' },
    ])
    for (const { statement } of content?.abandoned ?? []) await database.query(statement)
    expect((await inspectTrigger({ connection: database.url })).installations[0]?.content?.abandoned).toEqual([])
  })

  test('does not count what a subscription has acknowledged of its last look', async () => {
    await using database = await postgres.createDatabase()
    await database.query(`${SHOP} CREATE TABLE other (id int)`)
    const billing = { name: 'billing', onPositionLost: 'stop', wait: true } as const
    const first = await openTestSession({ connection: database.url }, billing)
    await first.capture('orders')
    await first.close()
    await using reader = await openTestSession({ connection: database.url })
    await reader.capture('other')
    const insert = (from: number, to: number): string =>
      `INSERT INTO orders SELECT i, 'new' FROM generate_series(${from}, ${to}) i`
    for (const statement of [
      insert(1, 2),
      'INSERT INTO other VALUES (1)',
      `${insert(3, 7)}; ${insert(8, 9)}`,
      insert(10, 10),
    ])
      await database.query(statement)
    const behind = async (): Promise<number | undefined> => {
      const [installation] = (await inspectTrigger({ connection: database.url })).installations
      return installation?.content?.consumers.find(({ subscription }) => subscription === 'billing')?.behind
    }
    expect(await behind()).toBe(11)
    for (const [acknowledged, left] of [
      [2, 8],
      [5, 5],
      [9, 1],
    ] as const) {
      const next = await openTestSession({ connection: database.url }, billing)
      next.holdBack()
      await next.capture('orders')
      const { changes } = next
      await eventually(() => changes.at(-1)?.new?.text(0) === '10', 'the last change')
      const at = changes.find((change) => change.new?.text(0) === String(acknowledged))
      assert.ok(at !== undefined)
      next.session.acknowledge(at.position)
      await next.close()
      expect([acknowledged, await behind()]).toEqual([acknowledged, left])
    }
  })

  test('does not run the code of another role’s schema, and says so', async () => {
    await using database = await postgres.createDatabase()
    const role = await database.createRole()
    await database.query(`${SHOP} GRANT CREATE ON DATABASE "${database.name}" TO "${role.name}"`)
    await database.query(`GRANT SELECT, TRIGGER ON orders TO "${role.name}"`)
    const other = await database.createRole()
    await using session = await openTestSession({ connection: role.url })
    await session.capture('orders')
    const mine = await inspectTrigger({ connection: role.url })
    expect(mine.installations[0]?.content?.consumers).toHaveLength(1)
    const health = await inspectTrigger({ connection: other.url })
    expect(health.role).toEqual({ name: other.name, mayCreate: false })
    expect(health.obstacle).toContain(`belongs to the role ${role.name}`)
    expect(health.installations).toEqual([{ schema: 'rowtap', owner: role.name, content: null }])
    expect(health.unseen).toEqual([expect.stringContaining(`Connect as that role`)])
  })

  test('says what a role lacks to make a queue, and to capture a table', async () => {
    await using database = await postgres.createDatabase()
    await database.query(`${SHOP} CREATE VIEW seen AS SELECT 1 AS one; ALTER TABLE orders ENABLE ROW LEVEL SECURITY`)
    const role = await database.createRole()
    const health = await inspectTrigger({
      connection: role.url,
      tables: ['orders', 'parted_1', 'seen', 'ordres'].map((name) => ({ schema: 'public', name })),
    })
    expect(health.obstacle).toContain(`Run: GRANT CREATE ON DATABASE "${database.name}" TO "${role.name}"`)
    expect(health.tables).toEqual([
      {
        schema: 'public',
        name: 'orders',
        obstacle: expect.stringContaining('GRANT SELECT, TRIGGER ON TABLE "public"."orders"'),
        primaryKey: ['id'],
        hasRowSecurity: true,
      },
      expect.objectContaining({ obstacle: expect.stringContaining('Listen to public.parted') }),
      expect.objectContaining({ obstacle: expect.stringContaining('is a view') }),
      expect.objectContaining({ obstacle: expect.stringContaining('Did you mean public.orders') }),
    ])
  })
})
