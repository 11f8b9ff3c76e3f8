import type { Client, SignalEvent } from '@rowtap/core'
import { connect } from '@rowtap/core'
import type { TestDatabase } from '@rowtap/driver-testkit'
import { copyIn, eventually } from '@rowtap/driver-testkit'
import { describePostgres } from '@rowtap/driver-testkit/vitest'
import { expect, test } from 'vitest'
import { inspectTrigger } from '../health/inspect-trigger.ts'
import { triggerDriver } from '../trigger-driver.ts'

/** What the present transaction has left in the queue. */
const OWN =
  'SELECT operation::text, count(*)::int AS count FROM rowtap.queue WHERE xid = pg_current_xact_id_if_assigned() GROUP BY 1 ORDER BY 1'

/** What a listener without rows of a table is told, in words. */
async function told(client: Client, table: string): Promise<{ readonly signals: SignalEvent[] }> {
  const signals: SignalEvent[] = []
  const listener = client.listen({ table, rows: false })
  listener.on('signal', (event) => void signals.push(event))
  await listener.ready
  return { signals }
}

/** The operations that statements, each in a session of its own, are told as: in the order of the statements. */
async function operationsOf(
  database: TestDatabase,
  { signals }: { readonly signals: SignalEvent[] },
  ...statements: readonly string[]
): Promise<readonly string[]> {
  const found: string[] = []
  for (const statement of statements) {
    signals.length = 0
    // What a session has done shortly before may be taken for what a statement does that changes nothing.
    const writer = await database.connect()
    await writer.query(statement)
    await writer.end()
    // What is told of a statement is told before what is told of a later one.
    await database.query('INSERT INTO last VALUES (1)')
    await eventually(() => signals.some(({ table }) => table === 'last'), 'the signal of the last statement')
    const operations = signals.filter(({ table }) => table !== 'last').map(({ operation }) => operation)
    found.push(operations.toSorted().join('+'))
  }
  return found
}

/** Signals of a table, and of another one, `last`, in one list. */
async function toldOf(database: TestDatabase, client: Client, table: string): Promise<{ signals: SignalEvent[] }> {
  await database.query('CREATE TABLE IF NOT EXISTS last (id int)')
  const all: SignalEvent[] = []
  for (const one of [table, 'last']) {
    const listener = client.listen({ table: one, rows: false })
    listener.on('signal', (event) => void all.push(event))
    await listener.ready
  }
  return { signals: all }
}

/** The triggers of ours on a table, by name. */
async function triggersOf(database: TestDatabase, table: string): Promise<string> {
  const rows = await database.query(
    `SELECT regexp_replace(tgname, '^!rowtap (signal )?\\d+$', '\\1each row') AS name FROM pg_trigger
     WHERE tgrelid = $1::regclass AND tgname LIKE '!rowtap%'`,
    [table],
  )
  return rows
    .map(({ name }) => String(name).replace('!rowtap ', ''))
    .toSorted()
    .join()
}

describePostgres('a table whose rows nobody wants', (postgres) => {
  test('has one row in the queue for each transaction and operation, whatever is written', async () => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE t (id int PRIMARY KEY, v text)')
    await using client = await connect(triggerDriver({ connection: database.url }))
    await told(client, 't')
    expect(await triggersOf(database, 't')).toBe('signal,truncate')
    const writer = await database.connect()
    await writer.query('BEGIN')
    for (let id = 0; id < 20; id += 1) {
      await writer.query('INSERT INTO t VALUES ($1, repeat($2, 1000))', [id, 'x'])
      await writer.query('UPDATE t SET v = $1', [`value ${id}`])
    }
    await writer.query('DELETE FROM t WHERE id < 10')
    await writer.query('DELETE FROM t')
    expect((await writer.query(OWN)).rows).toEqual([
      { operation: 'd', count: 1 },
      { operation: 'i', count: 1 },
      { operation: 'u', count: 1 },
    ])
    await writer.query('COMMIT')
  })

  test('forgets with a savepoint what was told in it', async () => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE t (id int)')
    await using client = await connect(triggerDriver({ connection: database.url }))
    const { signals } = await told(client, 't')
    const writer = await database.connect()
    await writer.query('BEGIN; SAVEPOINT s; INSERT INTO t VALUES (1); ROLLBACK TO s')
    expect((await writer.query(OWN)).rows).toEqual([])
    await writer.query('INSERT INTO t VALUES (2)')
    expect((await writer.query(OWN)).rows).toEqual([{ operation: 'i', count: 1 }])
    await writer.query('SAVEPOINT s; UPDATE t SET id = 3; RELEASE s; SAVEPOINT s; UPDATE t SET id = 4; ROLLBACK TO s')
    expect((await writer.query(OWN)).rows).toEqual([
      { operation: 'i', count: 1 },
      { operation: 'u', count: 1 },
    ])
    await writer.query('COMMIT')
    await eventually(() => signals.length === 2, 'both signals')
    signals.length = 0
    // The same for what a routine takes back.
    await database.query(`DO $$ BEGIN
      BEGIN DELETE FROM t; RAISE EXCEPTION 'no'; EXCEPTION WHEN raise_exception THEN NULL; END;
      DELETE FROM t;
    END $$`)
    await eventually(() => signals.length > 0, 'the signal of a delete')
    expect(signals.map(({ operation }) => operation)).toEqual(['delete'])
    await database.query(
      `BEGIN; SAVEPOINT s; INSERT INTO t VALUES (1); ROLLBACK TO s; COMMIT; INSERT INTO t VALUES (1)`,
    )
    await eventually(() => signals.length > 1, 'the signal of an insert')
    expect(signals).toHaveLength(2)
  })

  test('tells of every way to change rows, and not of statements that change none', async () => {
    await using database = await postgres.createDatabase()
    await database.query(`
      CREATE TABLE root (id int PRIMARY KEY);
      CREATE TABLE t (id int PRIMARY KEY, root int REFERENCES root ON DELETE CASCADE ON UPDATE SET NULL);
      INSERT INTO root SELECT generate_series(1, 9); INSERT INTO t SELECT id, id FROM root`)
    await using client = await connect(triggerDriver({ connection: database.url }))
    const listened = await toldOf(database, client, 't')
    const check = (...statements: string[]): Promise<readonly string[]> =>
      operationsOf(database, listened, ...statements)
    expect(
      await check(
        'UPDATE t SET root = root WHERE id = 99',
        'DELETE FROM t WHERE false',
        'INSERT INTO t SELECT 1 WHERE false',
        'BEGIN; INSERT INTO root VALUES (77); UPDATE t SET root = 1 WHERE false; COMMIT',
        'DELETE FROM root WHERE id = 1',
        'UPDATE root SET id = 20 WHERE id = 2',
        'INSERT INTO t VALUES (3, 3) ON CONFLICT (id) DO UPDATE SET root = 4',
        'WITH gone AS (DELETE FROM t WHERE id = 4 RETURNING id) INSERT INTO t SELECT id + 100 FROM gone',
        'TRUNCATE t',
        'TRUNCATE root CASCADE',
      ),
    ).toEqual(['', '', '', '', 'delete', 'update', 'update', 'delete+insert', 'truncate', 'truncate'])
    if (postgres.version >= 15) {
      const merge = `MERGE INTO t USING (VALUES (1), (2)) s (id) ON t.id = s.id WHEN MATCHED THEN DELETE WHEN NOT MATCHED AND s.id = 1 THEN INSERT VALUES (s.id)`
      expect(await check(merge, merge.replace('s.id = 1', 'false'), merge.replace('s.id = 1', 'false'))).toEqual([
        'insert',
        'delete',
        '',
      ])
    }
    listened.signals.length = 0
    await copyIn(await database.connect(), 'COPY t FROM STDIN', '50\t\\N\n51\t\\N\n')
    await eventually(() => listened.signals.length > 0, 'the signal of a COPY')
    expect(listened.signals.map(({ operation }) => operation)).toEqual(['insert'])
  })

  test('is told of in each queue, where there are several', async () => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE t (id int)')
    await using client = await connect(triggerDriver({ connection: database.url }))
    await using other = await connect(triggerDriver({ connection: database.url, schema: "Other's queue" }))
    const [one, two] = [await told(client, 't'), await told(other, 't')]
    await database.query('BEGIN; INSERT INTO t VALUES (1); INSERT INTO t VALUES (2); COMMIT')
    await eventually(() => one.signals.length > 0 && two.signals.length > 0, 'a signal each')
    expect([one.signals, two.signals]).toMatchObject([[{ operation: 'insert' }], [{ operation: 'insert' }]])
  })

  test('tells of everything where the server does not count', async () => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE t (id int)')
    await using client = await connect(triggerDriver({ connection: database.url }))
    const listened = await toldOf(database, client, 't')
    const writer = await database.connect()
    await writer.query('SET track_counts = off')
    await writer.query('INSERT INTO t VALUES (1)')
    await eventually(() => listened.signals.length > 0, 'the signal of an insert')
    expect(listened.signals).toMatchObject([{ operation: 'insert', table: 't' }])
  })

  test('is told of by each row where statements would not tell all: partitions, of the future too, and inheritance', async () => {
    await using database = await postgres.createDatabase()
    await database.query(`
      CREATE TABLE p (id int) PARTITION BY LIST (id);
      CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1);
      CREATE TABLE apart (id int);
      CREATE TABLE parent (id int); CREATE TABLE child () INHERITS (parent); INSERT INTO child VALUES (1)`)
    await using client = await connect(triggerDriver({ connection: database.url }))
    const parted = await toldOf(database, client, 'p')
    expect(await triggersOf(database, 'p')).toBe('signal each row,truncate')
    await database.query('CREATE TABLE p2 PARTITION OF p FOR VALUES IN (2)')
    await database.query('ALTER TABLE p ATTACH PARTITION apart FOR VALUES IN (3)')
    expect(
      await operationsOf(
        database,
        parted,
        'INSERT INTO p VALUES (1)',
        'INSERT INTO p1 VALUES (1), (1)',
        'INSERT INTO p2 VALUES (2)',
        'INSERT INTO apart VALUES (3)',
        'UPDATE p SET id = 2 WHERE id = 1',
        'UPDATE p2 SET id = 2',
        'DELETE FROM p WHERE id = 99',
        'DELETE FROM p2',
        'TRUNCATE p1',
        'TRUNCATE p',
      ),
    ).toEqual(['insert', 'insert', 'insert', 'insert', 'delete+insert', 'update', '', 'delete', 'truncate', 'truncate'])
    const inherited = await toldOf(database, client, 'child')
    expect(
      await operationsOf(
        database,
        inherited,
        'UPDATE parent SET id = 2',
        'UPDATE ONLY parent SET id = 3',
        'DELETE FROM child',
      ),
    ).toEqual(['update', '', 'delete'])
  })

  test('loses nothing while listeners with rows come and go, and has signals again when they are gone', async () => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE t (id int PRIMARY KEY, at timestamptz DEFAULT clock_timestamp())')
    await using client = await connect(triggerDriver({ connection: database.url }))
    const listener = client.listen({ table: 't', rows: false })
    // As a cache does: what it has read is what was there when it was last told, or later.
    let cached = 0
    listener.on('signal', async () => {
      const [row] = await database.query('SELECT count(*)::int AS count FROM t')
      cached = Number(row?.['count'])
    })
    await listener.ready
    const writer = await database.connect()
    let written = 0
    let isOver = false
    const writing = (async () => {
      while (!isOver) {
        written += 1
        await writer.query('INSERT INTO t VALUES ($1)', [written])
      }
    })()
    for (let round = 0; round < 8; round += 1) {
      const rows: number[] = []
      const withRows = client.listen<{ id: number }>({ table: 't' })
      withRows.on('insert', (event) => void rows.push(event.new.id))
      await withRows.ready
      expect(await triggersOf(database, 't')).toBe('delete,insert,truncate,update')
      const before = written
      await eventually(() => rows.length > 20, 'some rows')
      await withRows.stop()
      const [first = 0] = rows
      expect(first).toBeLessThanOrEqual(before + 1)
      expect(rows).toEqual(rows.map((_, index) => first + index))
    }
    isOver = true
    await writing
    await eventually(() => cached === written, 'a cache that has what was written last')
    await eventually(async () => (await triggersOf(database, 't')) === 'signal,truncate', 'triggers without rows')
    await database.query('INSERT INTO t VALUES (0)')
    await eventually(() => cached === written + 1, 'a cache that has what was written without rows')
  })

  test('has its rows captured for a client that wants them, and both are told', async () => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE t (id int)')
    const driver = triggerDriver({ connection: database.url })
    await using client = await connect(driver)
    const { signals } = await told(client, 't')
    {
      await using other = await connect(driver)
      const listener = other.listen({ table: 't' })
      const rows: unknown[] = []
      listener.on('insert', (event) => void rows.push(event.new))
      await listener.ready
      await database.query('INSERT INTO t VALUES (1)')
      await eventually(() => rows.length === 1 && signals.length === 1, 'a row and a signal')
    }
    await eventually(async () => (await triggersOf(database, 't')) === 'signal,truncate', 'triggers without rows')
    await database.query('INSERT INTO t VALUES (2)')
    await eventually(() => signals.length > 1, 'a signal without rows')
    expect(signals.map(({ operation }) => operation)).toEqual(['insert', 'insert'])
  })

  test('is captured by a role that may only create triggers, and needs no rights to be written', async () => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE t (id int)')
    const [capturing, writing] = [await database.createRole(), await database.createRole()]
    await database.query(`
      GRANT CREATE ON DATABASE ${database.name} TO ${capturing.name};
      GRANT SELECT, TRIGGER ON t TO ${capturing.name};
      GRANT INSERT ON t TO ${writing.name}`)
    await using client = await connect(triggerDriver({ connection: capturing.url }))
    const { signals } = await told(client, 't')
    const writer = await database.connect()
    const write = `SET ROLE ${writing.name}; SET search_path = ''; INSERT INTO public.t VALUES (1); RESET ROLE`
    await writer.query(write)
    await eventually(() => signals.length === 1, 'the signal of another role')
    // It cannot drop triggers: those for rows come beside the others, and stay.
    const rows: unknown[] = []
    const listener = client.listen({ table: 't' })
    listener.on('insert', (event) => void rows.push(event.new))
    await listener.ready
    await writer.query(write)
    await eventually(() => rows.length === 1 && signals.length === 2, 'a row, and a signal')
    await listener.stop()
    await writer.query(write)
    await eventually(() => signals.length === 3, 'another signal')
    expect(await triggersOf(database, 't')).toBe('delete,insert,signal,truncate,update')
  })

  test('is looked after like any other: what is gone or switched off is told of', async () => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE t (id int); CREATE TABLE p (id int) PARTITION BY LIST (id)')
    await using client = await connect(triggerDriver({ connection: database.url }))
    const gaps: string[] = []
    client.on('gap', ({ reason }) => void gaps.push(reason))
    await told(client, 't')
    await told(client, 'p')
    const faults = async (): Promise<unknown> => {
      const { installations } = await inspectTrigger({ connection: database.url })
      return installations[0]?.content?.captured.map((table) =>
        table.faults.map(({ changes, fault }) => [changes, fault]),
      )
    }
    expect([await faults(), gaps]).toEqual([[[], []], []])
    await database.query(`ALTER TABLE p DISABLE TRIGGER ALL; DROP TRIGGER "!rowtap signal" ON t`)
    expect(await faults()).toEqual([
      [
        ['rows', 'disabled'],
        ['truncate', 'disabled'],
      ],
      [['rows', 'missing']],
    ])
    await eventually(() => gaps.length === 2, 'a gap for each table')
    for (const reason of gaps) expect(reason).toMatch(/has lost its triggers, or they are switched off/)
  })

  test('keeps the order of rows that are captured beside signals, also where one statement causes another', async () => {
    await using database = await postgres.createDatabase()
    await database.query(`
      CREATE TABLE t (id int PRIMARY KEY, v text);
      INSERT INTO t VALUES (1, 'a'), (2, 'a');
      CREATE FUNCTION away() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN DELETE FROM t WHERE id = NEW.id; RETURN NULL; END $$;
      CREATE TRIGGER away AFTER UPDATE ON t FOR EACH ROW EXECUTE FUNCTION away()`)
    const capturing = await database.createRole()
    await database.query(`
      GRANT CREATE ON DATABASE ${database.name} TO ${capturing.name}; GRANT SELECT, TRIGGER ON t TO ${capturing.name}`)
    await using client = await connect(triggerDriver({ connection: capturing.url }))
    const { signals } = await told(client, 't')
    const changes: string[] = []
    const listener = client.listen({ table: 't' })
    listener.on('change', ({ kind, key }) => void changes.push(`${kind} ${String(key?.['id'])}`))
    await listener.ready
    await database.query(`UPDATE t SET v = 'b'`)
    await eventually(() => changes.length === 4 && signals.length === 2, 'changes and signals')
    const of = (id: number): readonly string[] => changes.filter((change) => change.endsWith(String(id)))
    expect([of(1), of(2)]).toEqual([
      ['update 1', 'delete 1'],
      ['update 2', 'delete 2'],
    ])
  })

  test('is told of to a subscription that goes on, also of what was written while nobody ran, and wants no rows then', async () => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE t (id int)')
    const driver = triggerDriver({ connection: database.url })
    const first = await connect(driver, { subscription: 'cache' })
    await told(first, 't')
    await first.close()
    await database.query('INSERT INTO t VALUES (1)')
    const gaps: string[] = []
    {
      await using client = await connect(driver, {
        subscription: 'cache',
        on: { gap: ({ reason }) => gaps.push(reason) },
      })
      const { signals } = await told(client, 't')
      await eventually(() => signals.length === 1, 'a signal of what was written meanwhile')
      expect([await triggersOf(database, 't'), gaps]).toEqual(['signal,truncate', []])
    }
    await using client = await connect(driver, {
      subscription: 'cache',
      on: { gap: ({ reason }) => gaps.push(reason) },
    })
    await client.listen({ table: 't' }).ready
    expect(gaps).toEqual([
      expect.stringMatching(/^The subscription captured of public\.t only .* missed every row until now\.$/),
    ])
  })
})
