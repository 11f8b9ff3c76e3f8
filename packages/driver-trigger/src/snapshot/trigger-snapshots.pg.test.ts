import type { Client, DeliveredEvent, Driver } from '@rowtap/core'
import { connect } from '@rowtap/core'
import type { TestDatabase } from '@rowtap/driver-testkit'
import { eventually, fold } from '@rowtap/driver-testkit'
import { describePostgres } from '@rowtap/driver-testkit/vitest'
import { expect, test } from 'vitest'
import { triggerDriver } from '../trigger-driver.ts'

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
  const driver: Driver = triggerDriver({ connection: url })
  return await connect(driver)
}

async function tableRows(database: TestDatabase): Promise<unknown[]> {
  return await database.query('SELECT id, v FROM t ORDER BY id')
}

function foldedRows(events: readonly DeliveredEvent[]): unknown[] {
  const rows = [...fold(events, { strict: false }).values()]
  return rows.toSorted((one, other) => Number(one['id']) - Number(other['id']))
}

describePostgres('reading a table', (postgres) => {
  test('asks for nobody to hide its rows, also once it has begun', { timeout: 120_000 }, async () => {
    await using database = await postgres.createDatabase()
    const role = await database.createRole()
    await database.query(`
      GRANT CREATE ON DATABASE "${database.name}" TO "${role.name}";
      CREATE TABLE t (id int PRIMARY KEY, v int);
      INSERT INTO t SELECT i, i FROM generate_series(1, 2000) i;
      ALTER TABLE t OWNER TO "${role.name}";
      ALTER TABLE t ENABLE ROW LEVEL SECURITY;
      CREATE POLICY few ON t USING (id = 1);
      ALTER TABLE t FORCE ROW LEVEL SECURITY`)
    await using client = await open(role.url)
    await expect(snapshot(client, 't').ready).rejects.toMatchObject({
      code: 'ERR_SETUP_REQUIRED',
      message: expect.stringContaining('ALTER TABLE "public"."t" NO FORCE ROW LEVEL SECURITY'),
    })
    await database.query('ALTER TABLE t NO FORCE ROW LEVEL SECURITY')
    const read = snapshot(client, 't')
    await read.done
    expect(read.events).toHaveLength(2000)

    const listener = client.listen({ table: 't', snapshot: 'initial', bufferBytes: 10_000 })
    const first = Promise.withResolvers<void>()
    const forced = Promise.withResolvers<void>()
    listener.on('change', async () => {
      first.resolve()
      await forced.promise
    })
    const failure = listener.snapshotDone.catch((error: unknown) => error)
    await first.promise
    await database.query('ALTER TABLE t FORCE ROW LEVEL SECURITY')
    forced.resolve()
    expect(await failure).toMatchObject({
      code: 'ERR_SETUP_REQUIRED',
      message: expect.stringContaining('Row-level security would hide rows of public.t'),
    })
  })

  test('takes a bounded amount of wide rows at a time', { timeout: 120_000 }, async () => {
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

  test('goes on when the connection that reads is lost', { timeout: 120_000 }, async () => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE t (id int PRIMARY KEY, v text)')
    await database.query(`INSERT INTO t SELECT i, 'old' FROM generate_series(1, 20000) i`)
    await using client = await open(database.url)
    const told: unknown[] = []
    client.on('gap', (notice) => void told.push(notice))
    const read = snapshot(client, 't', 50_000)
    let ended = 0
    while (ended < 3 && read.events.length < 20_000) {
      const rows = await database.query(`
        SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND query LIKE ANY (ARRAY['%rowtap_piece%', '%LOCK TABLE%'])
          AND application_name = 'rowtap'`)
      ended += rows.length
    }
    await read.done
    expect(ended).toBeGreaterThan(0)
    expect(told).toEqual([])
    expect(read.events.map(({ key }) => key?.['id'])).toEqual(Array.from({ length: 20_000 }, (_, index) => index + 1))
  })

  test('does not wait for a stream that has nothing to tell, while others write', { timeout: 120_000 }, async () => {
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

  test('waits for whoever has the table to itself, names it, and lets others have the table meanwhile', async () => {
    await using database = await postgres.createDatabase()
    await database.query(`CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t VALUES (1, 'one')`)
    await using client = await open(database.url)
    const waits: { readonly reason: string; readonly processIds: readonly number[] }[] = []
    client.on('wait', (wait) => void waits.push(wait))
    const other = client.listen({ table: 't' })
    await other.ready
    const locker = await database.connect()
    const { rows } = await locker.query<{ id: number }>('SELECT pg_backend_pid() AS id')
    await locker.query('BEGIN; LOCK TABLE t IN ACCESS EXCLUSIVE MODE')
    const read = snapshot(client, 't')
    await eventually(() => waits.some(({ reason }) => reason.includes('to read its rows')), 'a notice')
    expect(waits.at(-1)?.processIds).toEqual(rows.map(({ id }) => id))
    await locker.query('COMMIT')
    await read.done
    expect(read.events.map(({ kind }) => kind)).toEqual(['snapshot'])
  })

  test('follows a table that is renamed, and is not taken in by another one of its name', async () => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE t (id int PRIMARY KEY, v text)')
    await database.query(`INSERT INTO t SELECT i, 'old' FROM generate_series(1, 3000) i`)
    await using client = await open(database.url)
    const listener = client.listen({ table: 't', snapshot: 'initial', bufferBytes: 20_000 })
    const events: DeliveredEvent[] = []
    const first = Promise.withResolvers<void>()
    const renamed = Promise.withResolvers<void>()
    listener.on('change', async (event) => {
      events.push(event)
      first.resolve()
      await renamed.promise
    })
    await first.promise
    await database.query(`
      ALTER TABLE t RENAME TO other;
      CREATE TABLE t (id int PRIMARY KEY, v text);
      INSERT INTO t SELECT i, 'of another table' FROM generate_series(1, 3000) i`)
    renamed.resolve()
    await listener.snapshotDone
    expect(events).toHaveLength(3000)
    expect(new Set(events.map((event) => event.new?.['v']))).toEqual(new Set(['old']))
    expect(new Set(events.map(({ table }) => table))).toEqual(new Set(['t']))
  })

  test('ends with the reason where the table is dropped', async () => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE t (id int PRIMARY KEY, v text)')
    await database.query(`INSERT INTO t SELECT i, 'old' FROM generate_series(1, 3000) i`)
    await using client = await open(database.url)
    client.on('gap', () => undefined)
    const listener = client.listen({ table: 't', snapshot: 'initial', bufferBytes: 20_000 })
    const first = Promise.withResolvers<void>()
    const dropped = Promise.withResolvers<void>()
    listener.on('change', async () => {
      first.resolve()
      await dropped.promise
    })
    const failure = listener.snapshotDone.catch((error: unknown) => error)
    await first.promise
    await database.query('DROP TABLE t')
    dropped.resolve()
    expect(await failure).toMatchObject({
      code: 'ERR_SETUP_REQUIRED',
      message: expect.stringContaining('public.t'),
    })
  })

  test('prints rows as changes are printed, whatever the role and the database set', async () => {
    await using database = await postgres.createDatabase()
    await database.query(`
      CREATE TABLE t (id int PRIMARY KEY, v timestamptz, i interval, b bytea, f float8, c regclass, n numeric);
      ALTER DATABASE "${database.name}" SET "DateStyle" = 'German';
      ALTER DATABASE "${database.name}" SET "IntervalStyle" = 'sql_standard';
      ALTER DATABASE "${database.name}" SET "TimeZone" = 'Asia/Kathmandu';
      ALTER DATABASE "${database.name}" SET bytea_output = 'escape';
      ALTER DATABASE "${database.name}" SET extra_float_digits = 0`)
    const row = `VALUES ($1::int, '2026-01-02 03:04:05.678901+00'::timestamptz, '1 mon -2 days 3:04:05'::interval,
      '\\x00ff5c'::bytea, 0.1::float8 + 0.2::float8, 'pg_class'::regclass, 'NaN'::numeric)`
    await database.query(`INSERT INTO t ${row}`, [1])
    await using client = await open(database.url)
    const read = snapshot(client, 't')
    await read.done
    await database.query(`INSERT INTO t ${row}`, [2])
    await eventually(() => read.events.length === 2, 'the change')
    const [before, after] = read.events
    expect({ ...before?.new, id: 0 }).toEqual({ ...after?.new, id: 0 })
  })

  test('has no value of a column that no change has', async () => {
    await using database = await postgres.createDatabase()
    const [server] = await database.query(`SELECT current_setting('server_version_num')::int >= 180000 AS is_new`)
    if (server?.['is_new'] !== true) return
    await database.query('CREATE TABLE t (v int GENERATED ALWAYS AS (id + 1) VIRTUAL, id int PRIMARY KEY, w int)')
    await database.query('INSERT INTO t (id, w) VALUES (1, 2)')
    await using client = await open(database.url)
    const read = snapshot(client, 't')
    await read.done
    expect(read.events.map((event) => [event.new, event.unavailable])).toEqual([[{ id: 1, w: 2 }, ['v']]])
  })

  test('knows what it has seen of changes that are committed in any order', { timeout: 120_000 }, async () => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE t (id int PRIMARY KEY, v int)')
    await database.query(`INSERT INTO t SELECT i, 0 FROM generate_series(1, 3000) i`)
    await using client = await open(database.url)
    // What captures the table is there before the transaction that is open all the time.
    const other = client.listen({ table: 't' })
    await other.ready
    const early = await database.connect()
    await early.query('BEGIN; UPDATE t SET v = -1 WHERE id % 7 = 0')
    const read = snapshot(client, 't', 10_000)
    await read.ready
    const writers = await Promise.all(Array.from({ length: 4 }, () => database.connect()))
    let isDone = false
    const write = async (writer: (typeof writers)[number], remainder: number): Promise<void> => {
      for (let round = 1; !isDone || round < 20; round += 1) {
        await writer.query('BEGIN')
        await writer.query(`UPDATE t SET v = v + 1 WHERE id % 7 = $1 AND id % 31 = $2`, [1 + remainder, round % 31])
        await writer.query('SAVEPOINT s')
        await writer.query(`DELETE FROM t WHERE id % 7 = $1 AND id % 31 = $2`, [1 + remainder, (round + 5) % 31])
        await writer.query(round % 3 === 0 ? 'RELEASE s' : 'ROLLBACK TO s')
        await writer.query(round % 5 === 0 ? 'ROLLBACK' : 'COMMIT')
      }
    }
    const writing = Promise.all(writers.map(write))
    await eventually(() => read.events.length > 1000, 'many rows')
    await early.query('COMMIT')
    await read.done
    isDone = true
    await writing
    await database.query('INSERT INTO t VALUES (1000000, 0)')
    await eventually(() => read.events.at(-1)?.key?.['id'] === 1_000_000, 'the last change')
    expect(foldedRows(read.events)).toEqual(await tableRows(database))
    // Nothing is told twice: of each key an insert or a row comes first, and each update has the row that came before it.
    const rows = new Map<unknown, unknown>()
    for (const { kind, key, old, new: row } of read.events) {
      const id = key?.['id']
      if (kind === 'snapshot' || kind === 'insert') expect(rows.has(id)).toBe(false)
      else expect(old).toEqual(rows.get(id))
      if (row === null) rows.delete(id)
      else rows.set(id, row)
    }
  })
})
