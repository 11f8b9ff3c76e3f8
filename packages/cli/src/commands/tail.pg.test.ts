import { describePostgres } from '@rowtap/driver-testkit/vitest'
import { describe, expect, test } from 'vitest'

import { DRIVER_NAMES } from '../drivers/known-drivers.ts'
import { RowtapProcess } from '../testing/rowtap-process.ts'

const SETUP = `
  CREATE TABLE orders (id integer PRIMARY KEY, status text, total numeric(10, 2), "Placed At" timestamptz);
  CREATE TABLE items (order_id integer, line integer, note text, PRIMARY KEY (order_id, line));
  ALTER TABLE orders REPLICA IDENTITY FULL;
  ALTER TABLE items REPLICA IDENTITY FULL`

interface PrintedEvent {
  readonly kind: string
  readonly table: string
  readonly key: Record<string, unknown>
  readonly new: Record<string, unknown>
  readonly transaction: { readonly id: string }
}

function parse(lines: readonly string[]): readonly PrintedEvent[] {
  return lines.map((line) => JSON.parse(line) as PrintedEvent)
}

describePostgres('rowtap tail', (postgres) => {
  describe.each(DRIVER_NAMES)('--driver %s', (driver) => {
    const tail = (url: string, ...flags: readonly string[]): readonly string[] => {
      return ['tail', '--url', url, '--driver', driver, '--table', 'orders', ...flags]
    }

    test('prints one JSON object a line with the fields of an event, and nothing else', async () => {
      await using database = await postgres.createDatabase()
      await database.query(SETUP)
      await using rowtap = new RowtapProcess(tail(database.url, '--json', '--limit', '1'))
      await rowtap.ready()
      await database.query(`INSERT INTO orders VALUES (1, 'new', 9.90, '2026-11-20 05:19:24.123456+00')`)
      const { exitCode, stdout, stderr } = await rowtap.ended
      expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: `ready: public.orders (${driver})\n` })
      expect(JSON.parse(stdout)).toEqual({
        id: expect.any(String),
        kind: 'insert',
        schema: 'public',
        table: 'orders',
        key: { id: 1 },
        new: { id: 1, status: 'new', total: '9.90', 'Placed At': '2026-11-20T05:19:24.123Z' },
        old: null,
        changed: null,
        unavailable: [],
        derivedFrom: null,
        position: expect.any(String),
        transaction: {
          id: expect.stringMatching(/^\d+$/),
          commitTime: expect.toSatisfy((time) => time === null || Date.parse(String(time)) > 0),
        },
      })
    })

    test('--signals prints that a table has changed, without rows', async () => {
      await using database = await postgres.createDatabase()
      await database.query(SETUP)
      await using rowtap = new RowtapProcess(tail(database.url, '--signals', '--json', '--limit', '2'))
      await rowtap.ready()
      await database.query(
        `BEGIN; INSERT INTO orders VALUES (1), (2); INSERT INTO orders VALUES (3); DELETE FROM orders; COMMIT`,
      )
      const { exitCode, stdout } = await rowtap.ended
      const lines = stdout.trim().split('\n')
      expect(exitCode).toBe(0)
      expect(lines.map((line) => JSON.parse(line) as object)).toMatchObject(
        ['insert', 'delete'].map((operation) => ({ kind: 'signal', operation, table: 'orders', new: null, old: null })),
      )
    })

    test('--values text prints every value as PostgreSQL does, whatever the server’s settings', async () => {
      await using database = await postgres.createDatabase()
      await database.query(`
        CREATE TABLE orders (id bigint PRIMARY KEY, at timestamptz, took interval, raw bytea, f float8, ok boolean, list text[], nothing text);
        ALTER DATABASE "${database.name}" SET DateStyle = 'SQL, DMY';
        ALTER DATABASE "${database.name}" SET TimeZone = 'Asia/Tokyo';
        ALTER DATABASE "${database.name}" SET IntervalStyle = 'iso_8601';
        ALTER DATABASE "${database.name}" SET bytea_output = 'escape';
        ALTER DATABASE "${database.name}" SET extra_float_digits = 0`)
      await using rowtap = new RowtapProcess(tail(database.url, '--json', '--values', 'text', '--limit', '1'))
      await rowtap.ready()
      await database.query(
        `INSERT INTO orders VALUES (9007199254740993, '2026-11-20 05:19:24.123456+00', '1 day 02:00:00', '\\xdeadbeef',
           0.1::float8 + 0.2::float8, true, '{a,"b,c",NULL}', NULL)`,
      )
      const { stdout } = await rowtap.ended
      expect(parse([stdout])[0]?.new).toEqual({
        id: '9007199254740993',
        at: '2026-11-20 05:19:24.123456+00',
        took: '1 day 02:00:00',
        raw: '\\xdeadbeef',
        f: '0.30000000000000004',
        ok: 't',
        list: '{a,"b,c",NULL}',
        nothing: null,
      })
    })

    test('--on and --columns leave out what is not asked for', async () => {
      await using database = await postgres.createDatabase()
      await database.query(SETUP)
      const flags = ['--on', 'update,delete', '--columns', 'id,"Placed At"', '--json', '--limit', '2']
      await using rowtap = new RowtapProcess(tail(database.url, ...flags))
      await rowtap.ready()
      await database.query(`INSERT INTO orders (id, status) VALUES (1, 'new')`)
      await database.query(`UPDATE orders SET status = 'paid'`)
      await database.query(`UPDATE orders SET "Placed At" = 'epoch'`)
      await database.query(`DELETE FROM orders`)
      const { stdout } = await rowtap.ended
      expect(parse(stdout.trim().split('\n')).map(({ kind, new: row }) => [kind, row])).toEqual([
        ['update', { id: 1, 'Placed At': '1970-01-01T00:00:00.000Z' }],
        ['delete', null],
      ])
    })

    test('several tables come in the order in which a transaction changed them', async () => {
      await using database = await postgres.createDatabase()
      await database.query(SETUP)
      await using rowtap = new RowtapProcess(tail(database.url, '--table', 'items', '--json', '--limit', '60'))
      await rowtap.ready()
      await database.query(`
        DO $$ BEGIN
          FOR i IN 1..20 LOOP
            INSERT INTO orders (id) VALUES (i);
            INSERT INTO items (order_id, line) VALUES (i, 1), (i, 2);
          END LOOP;
        END $$`)
      const { stdout } = await rowtap.ended
      const events = parse(stdout.trim().split('\n'))
      const expected = Array.from({ length: 20 }, (_, index) =>
        ['orders', 'items', 'items'].map((table) => [table, index + 1]),
      )
      expect(events.map(({ table, key }) => [table, key['id'] ?? key['order_id']])).toEqual(expected.flat())
      expect(new Set(events.map(({ transaction }) => transaction.id)).size).toBe(1)
    })

    test('for a person, a pipe gets plain lines with nothing shortened', async () => {
      await using database = await postgres.createDatabase()
      await database.query(SETUP)
      await using rowtap = new RowtapProcess(tail(database.url, '--limit', '3'))
      await rowtap.ready()
      const long = 'x'.repeat(500)
      await database.query(`INSERT INTO orders (id, status) VALUES (1, '${long}')`)
      await database.query(`UPDATE orders SET status = 'paid'`)
      await database.query(`TRUNCATE orders`)
      const { exitCode, stdout } = await rowtap.ended
      expect(exitCode).toBe(0)
      const [insert, update, truncate] = stdout
        .split('\n')
        .map((line) => line.replace(/^(?:[\d:.]{12}|- {11})/, '<time>'))
      expect(insert).toBe(`<time>  insert    public.orders  id=1  status=${long}  total=null  "Placed At"=null`)
      expect(update).toBe(`<time>  update    public.orders  id=1  status: ${long} → paid`)
      expect(truncate).toBe('<time>  truncate  public.orders')
    })

    test('--limit ends it with 0 after so many changes, and not one more', async () => {
      await using database = await postgres.createDatabase()
      await database.query(SETUP)
      await using rowtap = new RowtapProcess(tail(database.url, '--table', 'items', '--json', '--limit', '7'))
      await rowtap.ready()
      await database.query(`INSERT INTO orders (id) SELECT generate_series(1, 1000)`)
      const { exitCode, stdout } = await rowtap.ended
      expect(exitCode).toBe(0)
      expect(parse(stdout.trim().split('\n')).map(({ key }) => key['id'])).toEqual([1, 2, 3, 4, 5, 6, 7])
    })

    test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('%s ends it with 0, every line whole', async (signal) => {
      await using database = await postgres.createDatabase()
      await database.query(SETUP)
      await using rowtap = new RowtapProcess(tail(database.url, '--json'))
      await rowtap.ready()
      const inserting = database.query(
        `INSERT INTO orders (id, status) SELECT i, repeat('x', 100) FROM generate_series(1, 20000) AS i`,
      )
      await rowtap.lines(1)
      rowtap.kill(signal)
      const { exitCode, stdout, stderr } = await rowtap.ended
      await inserting
      expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: `ready: public.orders (${driver})\n` })
      expect(stdout.endsWith('\n')).toBe(true)
      const ids = parse(stdout.trim().split('\n')).map(({ key }) => key['id'])
      expect(ids).toEqual(ids.map((_, index) => index + 1))
    })

    test('SIGINT while idle ends it with 0, and nothing of it stays in the database', async () => {
      await using database = await postgres.createDatabase()
      await database.query(SETUP)
      const leftovers = `
        SELECT 'slot' AS what FROM pg_replication_slots WHERE database = current_database()
        UNION ALL SELECT 'publication' FROM pg_publication
        UNION ALL SELECT 'trigger' FROM pg_trigger WHERE NOT tgisinternal
        UNION ALL SELECT 'connection' FROM pg_stat_activity
          WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type IN ('client backend', 'walsender')`
      await using rowtap = new RowtapProcess(tail(database.url))
      await rowtap.ready()
      expect(await database.query(leftovers)).not.toEqual([])
      rowtap.kill('SIGINT')
      expect(await rowtap.ended).toEqual({ exitCode: 0, stdout: '', stderr: `ready: public.orders (${driver})\n` })
      expect(await database.query(leftovers)).toEqual([])
    })

    test('a reader that has seen enough ends it quietly with 0', async () => {
      await using database = await postgres.createDatabase()
      await database.query(SETUP)
      await using rowtap = new RowtapProcess(tail(database.url))
      await rowtap.ready()
      await database.query(`INSERT INTO orders (id) VALUES (1)`)
      await rowtap.lines(1)
      rowtap.stopReading()
      await database.query(`INSERT INTO orders (id) VALUES (2)`)
      const { exitCode, stderr } = await rowtap.ended
      expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: `ready: public.orders (${driver})\n` })
    })

    test('a slow reader gets everything', async () => {
      await using database = await postgres.createDatabase()
      await database.query(SETUP)
      await using rowtap = new RowtapProcess(tail(database.url, '--json', '--limit', '30000'))
      await rowtap.ready()
      rowtap.pauseReading()
      await database.query(
        `INSERT INTO orders (id, status) SELECT i, repeat('x', 1000) FROM generate_series(1, 30000) AS i`,
      )
      rowtap.resumeReading()
      const { exitCode, stdout } = await rowtap.ended
      expect(exitCode).toBe(0)
      expect(parse(stdout.trim().split('\n')).map(({ key }) => key['id'])).toEqual(
        Array.from({ length: 30_000 }, (_, index) => index + 1),
      )
    })

    test('a second signal ends it at once, as a shell expects', async () => {
      await using database = await postgres.createDatabase()
      await database.query(SETUP)
      await using rowtap = new RowtapProcess(tail(database.url, '--json'))
      await rowtap.ready()
      await database.query(
        `INSERT INTO orders (id, status) SELECT i, repeat('x', 1000) FROM generate_series(1, 30000) AS i`,
      )
      // With its reader asleep it cannot finish what is in flight.
      await rowtap.lines(1)
      rowtap.pauseReading()
      rowtap.kill('SIGINT')
      rowtap.kill('SIGTERM')
      expect([130, 143]).toContain(await rowtap.exitCode())
    })

    test('the database may come from DATABASE_URL', async () => {
      await using database = await postgres.createDatabase()
      await database.query(SETUP)
      const parameters = ['tail', '--driver', driver, '--table', 'orders', '--json', '--limit', '1']
      await using rowtap = new RowtapProcess(parameters, { DATABASE_URL: database.url })
      await rowtap.ready()
      await database.query(`INSERT INTO orders (id) VALUES (1)`)
      expect((await rowtap.ended).exitCode).toBe(0)
    })
  })
})
