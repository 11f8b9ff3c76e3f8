import type { Client, ConnectOptions, DeliveredEvent, Driver } from '@rowtap/core'
import { connect } from '@rowtap/core'
import type { TestDatabase } from '@rowtap/driver-testkit'
import { eventually, fold } from '@rowtap/driver-testkit'
import { describePostgres } from '@rowtap/driver-testkit/vitest'
import { expect, test } from 'vitest'
import { triggerDriver } from '../trigger-driver.ts'

const ROWS = 20_000

async function open(url: string, options: ConnectOptions = {}): Promise<Client> {
  const driver: Driver = triggerDriver({ connection: url })
  return await connect(driver, options)
}

async function createTable(database: TestDatabase): Promise<void> {
  await database.query('CREATE TABLE t (id int PRIMARY KEY, v int)')
  await database.query(`INSERT INTO t SELECT i, 0 FROM generate_series(1, ${ROWS}) i`)
}

/** Reads the table with every change, until the last row is handled. */
async function read(client: Client, events: DeliveredEvent[], bufferBytes = 40_000): Promise<void> {
  const listener = client.listen({ table: 't', snapshot: 'initial', bufferBytes })
  listener.on('change', (event) => void events.push(event))
  await listener.snapshotDone
}

/** Writes to rows everywhere in the table until it is told to stop. */
async function writeUntil(database: TestDatabase, isOver: () => boolean): Promise<void> {
  const writer = await database.connect()
  for (let round = 1; !isOver(); round += 1) {
    await writer.query('BEGIN')
    await writer.query('UPDATE t SET v = v + 1 WHERE id % 199 = $1', [round % 199])
    await writer.query('DELETE FROM t WHERE id % 997 = $1', [round % 997])
    await writer.query('INSERT INTO t VALUES ($1, 0)', [ROWS + round])
    await writer.query('COMMIT')
  }
}

/** Asserts that each event fits what was told before. A delete may be of a row that was not delivered. */
function assertFitting(events: readonly DeliveredEvent[]): void {
  const rows = new Map<unknown, unknown>()
  for (const { kind, key, old, new: row } of events) {
    const id = key?.['id']
    if (kind === 'snapshot' || kind === 'insert') expect(rows.has(id)).toBe(false)
    else if (kind === 'update' || rows.has(id)) expect(old).toEqual(rows.get(id))
    if (row === null) rows.delete(id)
    else rows.set(id, row)
  }
}

async function assertFold(database: TestDatabase, events: readonly DeliveredEvent[]): Promise<void> {
  const rows = [...fold(events, { strict: false }).values()]
  const sorted = rows.toSorted((one, other) => Number(one['id']) - Number(other['id']))
  expect(sorted).toEqual(await database.query('SELECT id, v FROM t ORDER BY id'))
}

describePostgres('a table that is read with a subscription', (postgres) => {
  test('is gone on with after a close, and nothing is told twice', { timeout: 120_000 }, async () => {
    await using database = await postgres.createDatabase()
    await createTable(database)
    let isDone = false
    const writing = writeUntil(database, () => isDone)
    const events: DeliveredEvent[] = []
    const first = await open(database.url, { subscription: 'reader' })
    read(first, events).catch(() => undefined)
    await eventually(() => events.length > ROWS / 2, 'half of it', { timeoutMs: 60_000 })
    await first.close()
    const last = await open(database.url, { subscription: 'reader' })
    await read(last, events)
    isDone = true
    await writing
    await database.query('INSERT INTO t VALUES (1000000, 0)')
    await eventually(() => events.at(-1)?.key?.['id'] === 1_000_000, 'the last change', { timeoutMs: 60_000 })
    await last.close()
    await assertFold(database, events)
    assertFitting(events)
  })

  for (const [what, options] of [
    ['a subscription', { subscription: 'reader' }],
    ['a client without one, whose lease still holds,', {}],
  ] as const) {
    test(`${what} goes on when all connections are lost`, { timeout: 120_000 }, async () => {
      await using database = await postgres.createDatabase()
      await createTable(database)
      await using client = await open(database.url, options)
      const gaps: unknown[] = []
      client.on('gap', (gap) => void gaps.push(gap))
      const events: DeliveredEvent[] = []
      const reading = read(client, events)
      let isDone = false
      const writing = writeUntil(database, () => isDone)
      for (const part of [1, 2]) {
        await eventually(() => events.length > (part * ROWS) / 3, 'some of it', { timeoutMs: 60_000 })
        await database.query(`
          SELECT pg_terminate_backend(pid) FROM pg_stat_activity
          WHERE datname = current_database() AND application_name = 'rowtap'`)
      }
      await reading
      isDone = true
      await writing
      await database.query('INSERT INTO t VALUES (1000000, 0)')
      await eventually(() => events.at(-1)?.key?.['id'] === 1_000_000, 'the last change', { timeoutMs: 60_000 })
      await assertFold(database, events)
      expect(gaps).toEqual([])
      assertFitting(events)
    })
  }

  test('is read again where the position was lost', { timeout: 120_000 }, async () => {
    await using database = await postgres.createDatabase()
    await createTable(database)
    const first = await open(database.url, { subscription: 'reader' })
    await read(first, [])
    await first.close()
    await database.query('DELETE FROM rowtap.consumer')
    await database.query('UPDATE t SET v = 1')
    await using client = await open(database.url, { subscription: 'reader', onPositionLost: 'restart' })
    const events: DeliveredEvent[] = []
    await read(client, events)
    await assertFold(database, events)
  })

  test('leaves nothing that other roles could read', async () => {
    await using database = await postgres.createDatabase()
    const role = await database.createRole()
    await database.query(`
      ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO "${role.name}";
      ALTER DEFAULT PRIVILEGES GRANT USAGE ON SCHEMAS TO "${role.name}";
      CREATE TABLE t (id text PRIMARY KEY);
      REVOKE ALL ON t FROM "${role.name}";
      INSERT INTO t SELECT 'secret ' || i FROM generate_series(1, 2000) i`)
    await using client = await open(database.url, { subscription: 'reader' })
    const listener = client.listen({ table: 't', snapshot: 'initial', bufferBytes: 10_000 })
    const halt = Promise.withResolvers<void>()
    let handled = 0
    listener.on('change', async () => {
      handled += 1
      if (handled === 1000) await halt.promise
    })
    await listener.ready
    await eventually(async () => {
      const [row] = await database.query('SELECT progress FROM rowtap.consumer')
      return String(row?.['progress']).includes('secret')
    }, 'progress that is kept')
    const other = await database.connect({ connectionString: role.url })
    await expect(other.query('SELECT progress FROM rowtap.consumer')).rejects.toMatchObject({ code: '42501' })
    halt.resolve()
    await listener.snapshotDone
  })
})
