import { seededRandom } from '@rowtap/driver-testkit'
import { describePostgres } from '@rowtap/driver-testkit/vitest'
import { expect, test } from 'vitest'
import { describeChange, openTestSession } from '../testing/open-test-session.ts'
import { parseSnapshot } from './snapshot.ts'

describePostgres('the order of what the queue delivers', (postgres) => {
  test('is the same for a session that has changed how names are quoted meanwhile', async () => {
    await using database = await postgres.createDatabase()
    await database.query(`
      CREATE TABLE t (id int PRIMARY KEY, v text);
      CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF new.v = 'up' THEN UPDATE t SET v = v || '!' WHERE id <> new.id; END IF; RETURN NULL;
      END $$;
      CREATE TRIGGER f AFTER UPDATE ON t FOR EACH ROW EXECUTE FUNCTION f()`)
    await using session = await openTestSession({ connection: database.url })
    await session.capture('t')
    const writer = await database.connect()
    // Each trigger's function is made ready once in a session, with the settings of that moment.
    await writer.query(`SET quote_all_identifiers = on; INSERT INTO t VALUES (1, 'a')`)
    await writer.query(`RESET quote_all_identifiers; UPDATE t SET v = 'b'`)
    await writer.query(`INSERT INTO t VALUES (1, 'x'), (2, 'new') ON CONFLICT (id) DO UPDATE SET v = 'up'`)
    expect((await session.count(5)).map(describeChange)).toEqual([
      'insert t new=(1,a)',
      'update t old=(1,a) new=(1,b)',
      'update t old=(1,b) new=(1,up)',
      'insert t new=(2,new)',
      'update t old=(2,new) new=(2,new!)',
    ])
  })

  test('T9 starts; T11 stays open; T12 changes a row and commits; T9 changes it and commits: T12’s change is first', async () => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t VALUES (1, $$$$)')
    await using session = await openTestSession({ connection: database.url })
    await session.capture('t')
    const [nine, eleven, twelve] = await Promise.all([database.connect(), database.connect(), database.connect()])
    for (const writer of [nine, eleven, twelve]) {
      await writer.query('BEGIN')
      await writer.query('SELECT pg_current_xact_id()')
    }
    await nine.query(`INSERT INTO t VALUES (9, 'T9')`)
    await twelve.query(`UPDATE t SET v = v || ' T12' WHERE id = 1`)
    await twelve.query('COMMIT')
    await nine.query(`UPDATE t SET v = v || ' T9' WHERE id = 1`)
    await nine.query('COMMIT')
    await session.count(3)
    await eleven.query(`UPDATE t SET v = v || ' T11' WHERE id = 1`)
    await eleven.query('COMMIT')
    const changes = await session.count(4)
    expect(changes.filter((change) => change.new?.text(0) === '1').map((change) => change.new?.text(1))).toEqual([
      ' T12',
      ' T12 T9',
      ' T12 T9 T11',
    ])
    expect(changes.map(({ position }) => position)).toEqual(changes.map(({ position }) => position).toSorted())
  })

  test('rows keep their order and transactions stay together, with many small, long and nested transactions at once', async () => {
    await using database = await postgres.createDatabase()
    await database.query(
      'CREATE TABLE t (id int PRIMARY KEY, n int); INSERT INTO t SELECT i, 0 FROM generate_series(1, 8) i',
    )
    await using session = await openTestSession({ connection: database.url })
    await session.capture('t')
    const writers = await Promise.all([1, 2, 3, 4, 5].map(() => database.connect()))
    let written = 0
    await Promise.all(
      writers.map(async (writer, index) => {
        const random = seededRandom(index + 1)
        for (let round = 0; round < 40; round += 1) {
          await writer.query('BEGIN')
          // Rows are taken in one order, so that no deadlock comes of it.
          const rows = [1, 2, 3, 4, 5, 6, 7, 8].filter(() => random.integer(3) === 0)
          for (const row of rows) {
            await writer.query('SAVEPOINT s')
            await writer.query('UPDATE t SET n = n + 1 WHERE id = $1', [row])
            if (random.integer(4) === 0) await writer.query('ROLLBACK TO SAVEPOINT s')
            else written += 1
          }
          await writer.query('COMMIT')
        }
      }),
    )
    expect(written).toBeGreaterThan(100)
    const changes = await session.count(written)
    const last = new Map<string, number>()
    for (const change of changes) {
      const row = change.new?.text(0) ?? ''
      expect(Number(change.old?.text(1)), `${describeChange(change)} follows what was there`).toBe(last.get(row) ?? 0)
      last.set(row, Number(change.new?.text(1)))
    }
    const ids = changes.map((change) => change.transaction.id)
    const runs = ids.filter((id, index) => id !== ids[index - 1])
    expect(new Set(runs).size).toBe(runs.length)
    const positions = changes.map(({ position }) => position)
    expect(positions.every((position, index) => index === 0 || position > (positions[index - 1] ?? ''))).toBe(true)
  })

  test('the ordinal of a snapshot grows with every transaction that completes, and never shrinks', async () => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE t (id serial PRIMARY KEY, xid xid8)')
    const [observer, ...writers] = await Promise.all([1, 2, 3, 4].map(() => database.connect()))
    let writing = writers.length
    const work = writers.map(async (writer, index) => {
      const random = seededRandom(index + 100)
      for (let round = 0; round < 60; round += 1) {
        await writer.query('BEGIN; INSERT INTO t (xid) VALUES (pg_current_xact_id())')
        for (let nested = random.integer(4); nested > 0; nested -= 1) {
          await writer.query('SAVEPOINT s; INSERT INTO t (xid) VALUES (pg_current_xact_id())')
          if (random.integer(2) === 0) await writer.query('ROLLBACK TO SAVEPOINT s')
        }
        await writer.query(random.integer(5) === 0 ? 'ROLLBACK' : 'COMMIT')
      }
      writing -= 1
    })
    const seen: { ordinal: bigint; visible: number }[] = []
    while (writing > 0) {
      const { rows } = (await observer?.query<{ snapshot: string; visible: number }>(
        'SELECT pg_current_snapshot()::text AS snapshot, count(DISTINCT xid)::int AS visible FROM t',
      )) ?? { rows: [] }
      for (const { snapshot, visible } of rows) seen.push({ ordinal: parseSnapshot(snapshot).ordinal, visible })
    }
    await Promise.all(work)
    expect(seen.length).toBeGreaterThan(10)
    for (const [index, { ordinal, visible }] of seen.entries()) {
      const before = seen[index - 1]
      if (before === undefined) continue
      expect(ordinal >= before.ordinal).toBe(true)
      if (visible > before.visible) expect(ordinal > before.ordinal).toBe(true)
    }
  })
})
