import type { ListenOptions } from '@rowtap/core'
import { connect, plan, subscribeTo } from '@rowtap/core'
import type { TestDatabase } from '@rowtap/driver-testkit'
import { eventually } from '@rowtap/driver-testkit'
import { describePostgres } from '@rowtap/driver-testkit/vitest'
import { expect, test } from 'vitest'
import { walDriver } from '../wal-driver.ts'

const PARTS = `
  SELECT pg_get_expr(member.prqual, member.prrelid) AS filter, member.prattrs::text AS columns
  FROM pg_publication_rel AS member JOIN pg_publication AS p ON p.oid = member.prpubid`

describePostgres('what the server leaves out', (postgres) => {
  /** What is published of the tables: filters without their marks, and the numbers of columns. */
  async function parts(database: TestDatabase): Promise<readonly (readonly [unknown, unknown])[]> {
    const rows = postgres.version >= 15 ? await database.query(PARTS) : []
    return rows.map(({ filter, columns }) => [
      typeof filter === 'string' ? filter.replace(/ OR \('rowtap [0-9a-f ]+'(?:::text)? IS NULL\)\)$/u, ')') : filter,
      columns,
    ])
  }

  test('is in the plan, and makes PostgreSQL refuse to drop a named column until nobody names it', async () => {
    const isAble = postgres.version >= 15
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE t (id int PRIMARY KEY, a int, b text, "C" int)')
    const driver = walDriver({ connection: database.url, pushdown: 'inserts' })
    const options = { table: 't', operations: ['insert'], where: { a: 1 }, columns: ['C'] } as const
    const planned = await plan(driver, [options])
    const added = planned.statements.filter(({ sql }) => sql.includes('ADD TABLE')).map(({ sql }) => sql)
    expect(added).toEqual([
      expect.stringMatching(
        isAble
          ? /ADD TABLE ONLY "public"."t" \("id", "a", "C"\) WHERE \(\(\("a" = '1'\)\) OR 'rowtap [0-9a-f]{16}' IS NULL\)$/u
          : /ADD TABLE ONLY "public"."t"$/u,
      ),
    ])
    const planPart = (what: string) => planned.listeners[0]?.parts.find((part) => part.what === what)
    for (const what of ['condition', 'columns']) {
      expect(planPart(what)?.where).toBe(isAble ? 'database' : 'process')
      if (!isAble) expect(planPart(what)?.why).toMatch(/would do it from version 15 on\.$/u)
    }
    await using client = await connect(driver)
    const first = client.listen(options)
    await first.ready
    expect(await parts(database)).toEqual(isAble ? [['((a = 1))', '1 2 4']] : [])
    if (isAble) {
      for (const column of ['a', '"C"', 'id']) {
        await expect(database.query(`ALTER TABLE t DROP COLUMN ${column}`)).rejects.toMatchObject({ code: '2BP01' })
        await expect(database.query(`ALTER TABLE t ALTER ${column} TYPE bigint`)).rejects.toMatchObject({
          code: '0A000',
        })
      }
    }
    const second = client.listen({ ...options, where: { b: 'x' }, columns: ['id'] })
    await second.ready
    expect(await parts(database)).toEqual(isAble ? [[`((a = 1) OR (b = 'x'::text))`, null]] : [])
    await first.stop()
    expect(await parts(database)).toEqual(isAble ? [[`((b = 'x'::text))`, '1 3']] : [])
    await database.query('ALTER TABLE t DROP COLUMN a, DROP COLUMN "C"')
    const third = client.listen({ table: 't' })
    await third.ready
    expect(await parts(database)).toEqual(isAble ? [[null, null]] : [])
    await database.query(`INSERT INTO t VALUES (1, 'x'); UPDATE t SET b = 'y'; DELETE FROM t`)
    const updates = await client.plan([])
    const why = updates.listeners[0]?.parts.map((part) => part.why).join(' ')
    expect(why).toContain(isAble ? 'of which updates or deletes are wanted' : 'from version 15 on')
  })

  test.each<[string, ListenOptions]>([
    ['another column in its condition', { table: 't', operations: ['insert'], where: { b: 'x' }, columns: ['id'] }],
    ['updates, too', { table: 't', where: { b: { neq: '' } } }],
    ['every column', { table: 't', operations: ['insert'] }],
  ])('comes from its ready on to a listener that wants %s, while rows without it are under way', async (_, wider) => {
    await using database = await postgres.createDatabase()
    await database.query(`CREATE TABLE t (id int PRIMARY KEY, a int, b text, c int GENERATED ALWAYS AS (a + 1) STORED);
      ALTER TABLE t REPLICA IDENTITY FULL`)
    await using client = await connect(walDriver({ connection: database.url, pushdown: 'inserts' }))
    const first = client.listen({ table: 't', operations: ['insert'], columns: ['id'], bufferBytes: 1000 })
    const held = Promise.withResolvers<void>()
    const rows: unknown[] = []
    first.on('insert', async (event) => {
      rows.push(event.new)
      await held.promise
    })
    await first.ready
    const insert = `INSERT INTO t (id, a, b) SELECT i, i, CASE WHEN i % 2 = 0 THEN 'x' ELSE 'y' END FROM generate_series`
    // More than what is read ahead: most of it is still to come when the listener is attached.
    for (let from = 1; from < 30_000; from += 1000) await database.query(`${insert}($1::int, $1::int + 999) i`, [from])
    await eventually(() => rows.length > 0, 'the first row')
    const second = client.listen(wider)
    const seen: unknown[] = []
    second.on('insert', (event) => void seen.push(event.new))
    await second.ready
    await database.query(`${insert}(30001, 30002) i`)
    held.resolve()
    await eventually(() => rows.length === 30_002, 'every row')
    expect(rows.at(0)).toEqual({ id: 1 })
    expect(rows.at(-1)).toEqual({ id: 30_002 })
    const whole = (await database.query('SELECT * FROM t WHERE id > 30000 ORDER BY id')).map(({ c, ...row }) =>
      postgres.version >= 18 ? { ...row, c } : row,
    )
    const expected = wider.columns === undefined ? whole : [{ id: 30_002 }]
    await eventually(() => seen.length === expected.length, 'the rows of the second')
    expect(seen).toEqual(expected)
  })

  test('may be a generated column, where the server sends those', async () => {
    await using database = await postgres.createDatabase()
    await database.query(`CREATE TABLE t (id int PRIMARY KEY, a int, b text, c int GENERATED ALWAYS AS (a + 1) STORED)`)
    await using client = await connect(walDriver({ connection: database.url, pushdown: 'inserts' }))
    const names = postgres.version >= 18 ? ['b', 'c'] : ['b']
    const listener = client.listen({ table: 't', operations: ['insert'], columns: names })
    const rows: unknown[] = []
    listener.on('insert', (event) => void rows.push(event.new))
    await listener.ready
    expect(await parts(database)).toEqual(
      postgres.version < 15 ? [] : [[null, postgres.version >= 18 ? '1 3 4' : '1 3']],
    )
    await database.query(`INSERT INTO t VALUES (1, 2, 'x'); UPDATE t SET a = 3; DELETE FROM t`)
    await eventually(() => rows.length === 1, 'the row')
    expect(rows).toEqual([postgres.version >= 18 ? { b: 'x', c: 3 } : { b: 'x' }])
  })

  test('may be of a partitioned table, whose partitions have their columns in another order', async () => {
    await using database = await postgres.createDatabase()
    await database.query(`CREATE TABLE p (id int PRIMARY KEY, a int, b text) PARTITION BY RANGE (id);
      CREATE TABLE low (b text, id int NOT NULL, gone int, a int); ALTER TABLE low DROP COLUMN gone;
      ALTER TABLE p ATTACH PARTITION low FOR VALUES FROM (0) TO (10)`)
    await using client = await connect(walDriver({ connection: database.url, pushdown: 'inserts' }))
    const listener = client.listen({ table: 'p', operations: ['insert'], columns: ['b'], where: { b: { neq: 'no' } } })
    const rows: unknown[] = []
    listener.on('insert', (event) => void rows.push([event.key, event.new]))
    await listener.ready
    await database.query(`CREATE TABLE high PARTITION OF p FOR VALUES FROM (10) TO (20);
      INSERT INTO p VALUES (1, 1, 'one'), (2, 2, 'no'), (11, 11, 'eleven'), (12, 12, 'no');
      UPDATE p SET a = 0; DELETE FROM p`)
    await eventually(() => rows.length === 2, 'the rows')
    expect(rows).toEqual([
      [{ id: 1 }, { b: 'one' }],
      [{ id: 11 }, { b: 'eleven' }],
    ])
  })

  const BEFORE: ListenOptions = { table: 't', operations: ['insert'], where: { a: { in: [1, 2] } }, columns: ['id'] }

  test.each<[string, ListenOptions, { readonly rows: readonly unknown[]; readonly gap: RegExp | null }]>([
    ['the same', BEFORE, { rows: [{ id: 1 }, { id: 2 }], gap: null }],
    ['fewer columns', { ...BEFORE, columns: ['a'] }, { rows: [{ a: 1 }, { a: 2 }], gap: null }],
    [
      'other rows',
      { ...BEFORE, where: { a: 3 } },
      { rows: [], gap: /and missed rows that no condition was true of then until now/u },
    ],
    [
      'another column',
      { ...BEFORE, columns: ['id', 'b'] },
      { rows: [{ id: 1 }, { id: 2 }], gap: /and missed the value of "b" until now/u },
    ],
    [
      'a condition on another column',
      { ...BEFORE, where: { b: 'x' } },
      { rows: [], gap: /the value of "b" until now/u },
    ],
    [
      'every row',
      { table: 't', operations: ['insert'], columns: ['id'] },
      { rows: [{ id: 1 }, { id: 2 }], gap: /rows/u },
    ],
    [
      'updates',
      { ...BEFORE, operations: ['insert', 'update'], transitions: 'idempotent' },
      { rows: [{ id: 1 }, { id: 2 }], gap: /update until now was missed/u },
    ],
  ])('of a subscription that next time wants %s is told by a gap where it is more', async (_, after, expected) => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE t (id int PRIMARY KEY, a int, b text)')
    const driver = walDriver({ connection: database.url, pushdown: 'inserts' })
    let runs = 0
    const run = async (wishes: readonly ListenOptions[], written: string) => {
      runs += 1
      const gaps: string[] = []
      const rows: unknown[] = []
      const on = { gap: ({ reason }: { readonly reason: string }): void => void gaps.push(reason) }
      await using client = await connect(driver, { subscription: 'parts', on, resumeTimeoutMs: 500 })
      const listeners = wishes.map((wish) => client.listen(wish))
      for (const listener of listeners) listener.on('insert', (event) => void rows.push(event.new))
      await Promise.all(listeners.map(({ ready }) => ready))
      await database.query(written)
      const end = client.listen({ table: 'ends' })
      const ended = Promise.withResolvers<void>()
      // What is left of an earlier run may come first.
      end.on('insert', ({ key }) => {
        if (key['id'] === runs) ended.resolve()
      })
      await end.ready
      await database.query('INSERT INTO ends VALUES ($1)', [runs])
      await ended.promise
      return { gaps: gaps.filter((reason) => reason.includes('public.t')), rows }
    }
    await database.query('CREATE TABLE ends (id int PRIMARY KEY)')
    // The second of the listeners is not there any more next time.
    const first = await run([BEFORE, { ...BEFORE, where: { a: 2 }, columns: ['a'] }], 'SELECT')
    expect(first).toEqual({ gaps: [], rows: [] })
    await database.query(`INSERT INTO t VALUES (1, 1, 'x'), (2, 2, 'y'), (3, 3, 'x')`)
    const second = await run([after], `INSERT INTO t VALUES (4, 4, 'z')`)
    if (postgres.version < 15) {
      expect(second.gaps).toEqual(
        after.operations?.includes('update') === true ? [expect.stringContaining('update')] : [],
      )
      return
    }
    expect(second.gaps).toEqual(expected.gap === null ? [] : [expect.stringMatching(expected.gap)])
    const live = after.where === undefined ? [{ id: 4 }] : []
    expect(second.rows).toEqual([...expected.rows, ...live])
    // What is published now is what the next one relies on.
    const third = await run([after], `INSERT INTO t VALUES (5, 1, 'x'), (6, 3, 'y')`)
    expect(third.gaps).toEqual([])
    expect(third.rows.length).toBe(1 + (after.where === undefined ? 1 : 0))
  })

  test('of a subscription is told by a gap to a client that does without pushdown', async ({ skip }) => {
    if (postgres.version < 15) skip()
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE t (id int PRIMARY KEY, a int, b text)')
    const run = async (pushdown: 'off' | 'inserts'): Promise<readonly string[]> => {
      const gaps: string[] = []
      const on = { gap: ({ reason }: { readonly reason: string }): void => void gaps.push(reason) }
      await using client = await connect(walDriver({ connection: database.url, pushdown }), {
        subscription: 'parts',
        on,
      })
      const rows: unknown[] = []
      const listener = client.listen({ ...BEFORE, columns: ['id', 'b'] })
      listener.on('insert', (event) => void rows.push(event.new))
      await listener.ready
      await database.query(`INSERT INTO t VALUES ((SELECT count(*) FROM t), 1, 'x')`)
      await eventually(() => rows.length === 1, 'the row')
      return gaps
    }
    expect(await run('inserts')).toEqual([])
    expect(await run('off')).toEqual([
      expect.stringMatching(/and missed rows that no condition was true of then until now/u),
    ])
    expect(await parts(database)).toEqual([[null, null]])
    expect(await run('off')).toEqual([])
    expect(await run('inserts')).toEqual([])
    expect(await parts(database)).toEqual([[null, null]])
  })

  test('of a subscription is told by a gap after a process has ended while it changed that', async () => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE t (id int PRIMARY KEY, a int, b text)')
    const driver = walDriver({ connection: database.url, pushdown: 'inserts' })
    const run = async (): Promise<readonly string[]> => {
      const gaps: string[] = []
      const on = { gap: ({ reason }: { readonly reason: string }): void => void gaps.push(reason) }
      await using client = await connect(driver, { subscription: 'parts', on })
      const listener = client.listen(BEFORE)
      listener.on('insert', () => undefined)
      await listener.ready
      return gaps
    }
    expect(await run()).toEqual([])
    // As such a process leaves it.
    await database.query(`DO $$ BEGIN EXECUTE format('COMMENT ON PUBLICATION rowtap_s_parts_inserts IS %L', (
      SELECT jsonb_set(obj_description(oid, 'pg_publication')::jsonb, '{tables}', '[]')
      FROM pg_publication WHERE pubname = 'rowtap_s_parts_inserts')); END $$`)
    expect(await run()).toEqual([expect.stringContaining('what was not wanted before the last process')])
    expect(await run()).toEqual([])
  })

  test('of a subscription is less again once no listener can come for what it captured before', async ({ skip }) => {
    if (postgres.version < 15) skip()
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE t (id int PRIMARY KEY, a int, b text)')
    const driver = walDriver({ connection: database.url, pushdown: 'inserts' })
    const run = async (where: ListenOptions['where'], expected: string): Promise<void> => {
      await using client = await connect(driver, { subscription: 'parts', resumeTimeoutMs: 100 })
      const listener = client.listen({ ...BEFORE, ...(where === undefined ? {} : { where }) })
      listener.on('insert', () => undefined)
      await listener.ready
      await eventually(async () => (await parts(database))[0]?.[0] === expected, expected)
    }
    await run({ a: 1 }, '((a = 1))')
    for (const a of [2, 3, 4]) await run({ a }, `((a = ${a}))`)
    expect(await parts(database)).toEqual([['((a = 4))', '1 2']])
  })

  test('is updates and deletes where nobody wants those, with pushdown or without', async () => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE u (id int PRIMARY KEY)')
    await using client = await connect(walDriver({ connection: database.url }))
    let received = 0
    const end = subscribeTo('rowtap:receive', (message) => {
      if (message.client === client) received += message.changes
    })
    const inserts = client.listen({ table: 't', operations: ['insert'] })
    const deletes = client.listen({ table: 'u', operations: ['delete'], transitions: 'idempotent' })
    let isEnded = false
    deletes.on('delete', () => void (isEnded = true))
    await Promise.all([inserts.ready, deletes.ready])
    await database.query('INSERT INTO t VALUES (1); UPDATE t SET id = 2; DELETE FROM t')
    // Of a table of which deletes are wanted everything is sent: the insert, too.
    await database.query('INSERT INTO u VALUES (1); DELETE FROM u')
    await eventually(() => isEnded, 'the delete')
    end()
    expect(received).toBe(3)
  })

  test('is not received', async ({ skip }) => {
    if (postgres.version < 15) skip()
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE t (id int PRIMARY KEY, a int, b text)')
    const received = async (pushdown: 'off' | 'inserts'): Promise<{ changes: number; bytes: number }> => {
      await using client = await connect(walDriver({ connection: database.url, pushdown }))
      const sum = { changes: 0, bytes: 0 }
      const end = subscribeTo('rowtap:receive', (message) => {
        if (message.client !== client) return
        sum.changes += message.changes
        sum.bytes += message.bytes
      })
      const listener = client.listen({ table: 't', operations: ['insert'], where: { a: 1 } })
      let events = 0
      listener.on('insert', () => void (events += 1))
      await listener.ready
      await database.query(`INSERT INTO t SELECT i, i % 100, repeat('x', 200) FROM generate_series(1, 20000) i`)
      await eventually(() => events === 200, 'what is wanted')
      await database.query('TRUNCATE t')
      end()
      return sum
    }
    const off = await received('off')
    const on = await received('inserts')
    expect(on.changes).toBeLessThan(off.changes / 50)
    expect(on.bytes).toBeLessThan(off.bytes / 50)
  })
})
