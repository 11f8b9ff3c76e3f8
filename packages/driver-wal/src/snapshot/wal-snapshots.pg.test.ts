import type { Client, DeliveredEvent, Driver } from '@rowtap/core'
import { connect } from '@rowtap/core'
import type { TestDatabase } from '@rowtap/driver-testkit'
import { cutConnections, eventually, fold } from '@rowtap/driver-testkit'
import { describePostgres } from '@rowtap/driver-testkit/vitest'
import { expect, test } from 'vitest'
import { walDriver } from '../wal-driver.ts'

/** A listener with a snapshot, and what it was given. */
interface Snapshot {
  readonly events: readonly DeliveredEvent[]
  readonly ready: Promise<void>
  readonly done: Promise<void>
}

function snapshot(client: Client, table: string, bufferBytes = 4_000_000): Snapshot {
  const listener = client.listen({ table, snapshot: 'initial', bufferBytes })
  const events: DeliveredEvent[] = []
  listener.on('change', (event) => void events.push(event))
  return { events, ready: listener.ready, done: listener.snapshotDone }
}

async function open(url: string): Promise<Client> {
  const driver: Driver = walDriver({ connection: url })
  return await connect(driver)
}

async function tableRows(database: TestDatabase): Promise<unknown[]> {
  return await database.query('SELECT id, v FROM t ORDER BY id')
}

function foldedRows(events: readonly DeliveredEvent[]): unknown[] {
  const rows = [...fold(events, { strict: false }).values()]
  return rows.toSorted((one, other) => Number(one['id']) - Number(other['id']))
}

/** The process that reads tables, while it waits for a lock. */
const READER_WAITS = `
  datname = current_database() AND application_name = 'rowtap' AND wait_event_type = 'Lock'
  AND query LIKE ANY (ARRAY['%rowtap_piece%', 'LOCK TABLE%'])`

describePostgres('reading a table', (postgres) => {
  test('asks for the privilege to read it, and for nobody to hide its rows', async () => {
    await using database = await postgres.createDatabase()
    const role = await database.createRole('REPLICATION')
    await database.query(`
      GRANT CREATE ON DATABASE "${database.name}" TO "${role.name}";
      CREATE TABLE t (id int PRIMARY KEY, v int);
      INSERT INTO t VALUES (1, 1), (2, 2);
      ALTER TABLE t OWNER TO "${role.name}";
      REVOKE SELECT ON t FROM "${role.name}"`)
    await using client = await open(role.url)
    await expect(snapshot(client, 't').ready).rejects.toMatchObject({
      code: 'ERR_SETUP_REQUIRED',
      message: expect.stringContaining(`GRANT SELECT ON "public"."t" TO "${role.name}"`),
    })
    await database.query(`
      GRANT SELECT ON t TO "${role.name}";
      ALTER TABLE t ENABLE ROW LEVEL SECURITY;
      ALTER TABLE t FORCE ROW LEVEL SECURITY;
      CREATE POLICY few ON t USING (id = 1)`)
    await expect(snapshot(client, 't').ready).rejects.toMatchObject({
      code: 'ERR_SETUP_REQUIRED',
      message: expect.stringContaining('ALTER TABLE "public"."t" NO FORCE ROW LEVEL SECURITY'),
    })
    await database.query('ALTER TABLE t NO FORCE ROW LEVEL SECURITY')
    const read = snapshot(client, 't')
    await read.done
    expect(read.events).toHaveLength(2)
  })

  test('takes a bounded amount of wide rows at a time', async () => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE t (id int PRIMARY KEY, v text)')
    await database.query(`INSERT INTO t SELECT i, repeat('x', 1000000) FROM generate_series(1, 60) i`)
    await using client = await open(database.url)
    let most = 0
    const read = snapshot(client, 't', 2_000_000)
    const timer = setInterval(() => {
      most = Math.max(most, client.metrics().listeners[0]?.bufferBytes ?? 0)
    }, 1)
    await read.done
    clearInterval(timer)
    expect(read.events).toHaveLength(60)
    expect(most).toBeLessThan(10_000_000)
  })

  test('begins again where changes were missed meanwhile', async () => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE t (id int PRIMARY KEY, v text)')
    await database.query(`INSERT INTO t SELECT i, 'old' FROM generate_series(1, 20000) i`)
    await using client = await open(database.url)
    const gaps: string[] = []
    client.on('gap', ({ reason }) => void gaps.push(reason))
    const read = snapshot(client, 't', 50_000)
    await eventually(() => read.events.length > 5000, 'some rows')
    await cutConnections(database)
    await database.query(
      `UPDATE t SET v = 'new' WHERE id % 100 = 0; INSERT INTO t SELECT i, 'new' FROM generate_series(20001, 20100) i`,
    )
    await eventually(() => gaps.length > 0, 'a gap')
    await read.done
    await database.query(`INSERT INTO t VALUES (30000, 'last')`)
    await eventually(() => read.events.at(-1)?.key?.['id'] === 30_000, 'the last change')
    expect(foldedRows(read.events)).toEqual(await tableRows(database))
  })

  test('goes on when the connection that reads is lost', async () => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE t (id int PRIMARY KEY, v text)')
    await database.query(`INSERT INTO t SELECT i, 'old' FROM generate_series(1, 20000) i`)
    await using client = await open(database.url)
    const told: unknown[] = []
    client.on('gap', (notice) => void told.push(notice))
    const read = snapshot(client, 't', 50_000)
    let ended = 0
    while (ended < 3) {
      const rows = await database.query(`
        SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND query LIKE ANY (ARRAY['%rowtap_piece%', 'LOCK TABLE%', 'COMMIT'])
          AND application_name = 'rowtap'`)
      ended += rows.length
      if (read.events.length >= 20_000) break
    }
    await read.done
    expect(ended).toBeGreaterThan(0)
    expect(told).toEqual([])
    expect(read.events.map(({ key }) => key?.['id'])).toEqual(Array.from({ length: 20_000 }, (_, index) => index + 1))
  })

  test('does not wait for a stream that has nothing to tell, while others write', async () => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE t (id int PRIMARY KEY, v text); CREATE TABLE other (id int)')
    await database.query(`INSERT INTO t SELECT i, 'old' FROM generate_series(1, 2500) i`)
    await using client = await open(database.url)
    const read = snapshot(client, 't', 2000)
    let isDone = false
    void read.done.then(() => {
      isDone = true
    })
    const writer = await database.connect()
    while (!isDone) await writer.query('INSERT INTO other VALUES (1)')
    expect(read.events).toHaveLength(2500)
  })

  test('waits for whoever has the table to itself, and keeps nobody waiting', async () => {
    await using database = await postgres.createDatabase()
    await database.query(`CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t VALUES (1, 'one')`)
    await using client = await open(database.url)
    const waits: string[] = []
    client.on('wait', ({ reason }) => void waits.push(reason))
    const other = client.listen({ table: 't' })
    await other.ready
    const locker = await database.connect()
    await locker.query('BEGIN; LOCK TABLE t IN ACCESS EXCLUSIVE MODE')
    const read = snapshot(client, 't')
    await eventually(() => waits.some((reason) => reason.includes('to read its rows')), 'a notice')
    await locker.query('COMMIT')
    await read.done
    expect(read.events.map(({ kind }) => kind)).toEqual(['snapshot'])
  })

  test('goes on when its statement is cancelled', async () => {
    await using database = await postgres.createDatabase()
    await database.query(`CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t VALUES (1, 'one')`)
    await using client = await open(database.url)
    const other = client.listen({ table: 't' })
    await other.ready
    const locker = await database.connect()
    await locker.query('BEGIN; LOCK TABLE t IN ACCESS EXCLUSIVE MODE')
    const read = snapshot(client, 't')
    let cancelled = 0
    await eventually(async () => {
      const rows = await database.query(`SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE ${READER_WAITS}`)
      cancelled += rows.length
      return cancelled >= 3
    }, 'statements that are cancelled')
    await locker.query('COMMIT')
    await read.done
    expect(read.events.map(({ kind }) => kind)).toEqual(['snapshot'])
  })
})
