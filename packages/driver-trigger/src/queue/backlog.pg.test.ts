import type { CaptureRequest, Change, ChangeBatch, DriverSession, DurableSubscription } from '@rowtap/core/driver'
import { parseTableName } from '@rowtap/core/driver'
import type { TestDatabase } from '@rowtap/driver-testkit'
import { describePostgres } from '@rowtap/driver-testkit/vitest'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, test } from 'vitest'
import { triggerDriver } from '../trigger-driver.ts'
import { describeChange } from '../testing/open-test-session.ts'

setFlagsFromString('--expose-gc')

function heapBytes(): number {
  runInNewContext('gc()')
  return process.memoryUsage().heapUsed
}

const BILLING: DurableSubscription = { name: 'billing', wait: true, onPositionLost: 'stop' }

/** A session that reads nothing unless it is told to. */
async function openSession(
  database: TestDatabase,
  tables: readonly string[],
  subscription: DurableSubscription | null = null,
): Promise<DriverSession> {
  const session = await triggerDriver({ connection: database.url }).open({
    subscription,
    signal: new AbortController().signal,
    planOnly: false,
    messages: false,
    notify: () => {},
  })
  await session.capture(requestsOf(tables))
  return session
}

function requestsOf(tables: readonly string[]): readonly CaptureRequest[] {
  return tables.map((table) => ({
    table: parseTableName(table),
    operations: new Set(['insert', 'update', 'delete']),
    columns: null,
    comparedEnums: new Set(),
  }))
}

/** Batches until so many changes are there. */
async function* batchesUntil(session: DriverSession, count: number): AsyncGenerator<ChangeBatch> {
  let read = 0
  for await (const batch of session.batches()) {
    read += batch.changes.length
    yield batch
    if (read >= count) return
  }
}

async function readChanges(session: DriverSession, count: number): Promise<readonly Change[]> {
  const changes: Change[] = []
  for await (const batch of batchesUntil(session, count)) changes.push(...batch.changes)
  return changes
}

/** So many transactions, each of which changes one row of eight. */
const manyUpdates = (transactions: number): string => `DO $$ BEGIN
  FOR i IN 1 .. ${transactions} LOOP
    UPDATE t SET n = n + 1 WHERE id = i % 8 + 1;
    COMMIT;
  END LOOP;
END $$`

function print(change: Change): string {
  return `${change.position} ${change.id} ${describeChange(change)}`
}

function expectInOrder(changes: readonly Change[]): void {
  const last = new Map<string, number>()
  for (const change of changes) {
    if (change.relation.name !== 't') continue
    const row = change.new?.text(0) ?? ''
    expect(Number(change.old?.text(1)), `${describeChange(change)} follows what was there`).toBe(last.get(row) ?? 0)
    last.set(row, Number(change.new?.text(1)))
  }
  const ids = changes.map((change) => change.transaction.id)
  const runs = ids.filter((id, index) => id !== ids[index - 1])
  expect(new Set(runs).size).toBe(runs.length)
  const positions = changes.map(({ position }) => position)
  expect(positions.every((position, index) => index === 0 || position > (positions[index - 1] ?? ''))).toBe(true)
}

describePostgres('a backlog of many small transactions', (postgres) => {
  test('is delivered in order, with long and large transactions among them', async () => {
    await using database = await postgres.createDatabase()
    await database.query(`
      CREATE TABLE t (id int PRIMARY KEY, n int, filler text DEFAULT repeat('x', 200));
      INSERT INTO t SELECT i, 0 FROM generate_series(1, 10) i;
      CREATE TABLE u (id int, v text)`)
    const session = await openSession(database, ['t', 'u'], BILLING)
    const [early, long] = [await database.connect(), await database.connect()]
    const writers = await Promise.all([1, 2, 3].map(() => database.connect()))
    // It is in progress when the first look is taken: its id is below what the tick begins with.
    await early.query('BEGIN; UPDATE t SET n = n + 1 WHERE id = 9')
    await long.query('BEGIN; UPDATE t SET n = n + 1 WHERE id = 10')
    await session.capture(requestsOf(['t', 'u']))
    await Promise.all(writers.map((writer) => writer.query(manyUpdates(600))))
    await early.query('UPDATE t SET n = n + 1 WHERE id = 1; COMMIT')
    await Promise.all([
      ...writers.map((writer) => writer.query(manyUpdates(300))),
      database.query(`INSERT INTO u SELECT i, repeat('y', 100) FROM generate_series(1, 1000) i`),
    ])
    await long.query('UPDATE t SET n = n + 1 WHERE id = 2; COMMIT')
    await Promise.all(writers.map((writer) => writer.query(manyUpdates(100))))

    const changes = await readChanges(session, 3 * 1000 + 2 + 2 + 1000)
    session.acknowledge(changes[1999]?.position ?? expect.fail())
    await session.close()
    expect(changes).toHaveLength(4004)
    expectInOrder(changes)

    const next = await openSession(database, ['t', 'u'], BILLING)
    const rest = await readChanges(next, 2004)
    await next.close()
    expect(rest.map(print)).toEqual(changes.slice(2000).map(print))
  })

  test('comes again as it came, when it was read while it was written', async () => {
    await using database = await postgres.createDatabase()
    await database.query(`
      CREATE TABLE t (id int PRIMARY KEY, n int);
      INSERT INTO t SELECT i, 0 FROM generate_series(1, 8) i;
      CREATE TABLE u (id int, v text) PARTITION BY RANGE (id);
      CREATE TABLE u_1 PARTITION OF u FOR VALUES FROM (0) TO (1000)`)
    const writers = await Promise.all([1, 2, 3].map(() => database.connect()))
    const first = await openSession(database, ['t', 'u'], BILLING)
    const [changes] = await Promise.all([
      readChanges(first, 1500 + 400),
      ...writers.map((writer) => writer.query(manyUpdates(500))),
      (async () => {
        for (let id = 0; id < 100; id += 1) {
          // Several statements in one transaction, captured by row triggers.
          await database.query(`
            INSERT INTO u VALUES (${id}, 'a'); UPDATE u SET v = v || 'b'; UPDATE u SET v = v || 'c'; DELETE FROM u`)
        }
      })(),
    ])
    await first.close()
    expect(changes).toHaveLength(1900)
    expectInOrder(changes)

    const second = await openSession(database, ['t', 'u'], BILLING)
    const again = await readChanges(second, 1900)
    second.acknowledge(again[949]?.position ?? expect.fail())
    await second.close()
    const third = await openSession(database, ['t', 'u'], BILLING)
    const rest = await readChanges(third, 950)
    await third.close()
    expect(again.map(print)).toEqual(changes.map(print))
    expect(rest.map(print)).toEqual(changes.slice(950).map(print))
  })

  test('is not kept in memory', { timeout: 120_000 }, async () => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE t (id int PRIMARY KEY, n int); INSERT INTO t SELECT generate_series(1, 8), 0')
    const session = await openSession(database, ['t'])
    await database.query(manyUpdates(30_000))
    const before = heapBytes()
    let [count, batches, most] = [0, 0, 0]
    for await (const { changes } of batchesUntil(session, 30_000)) {
      count += changes.length
      const last = changes.at(-1)
      if (last !== undefined) session.acknowledge(last.position)
      if (batches % 10 === 0) most = Math.max(most, heapBytes() - before)
      batches += 1
    }
    await session.close()
    expect(count).toBe(30_000)
    expect(most).toBeLessThan(6_000_000)
  })
})
