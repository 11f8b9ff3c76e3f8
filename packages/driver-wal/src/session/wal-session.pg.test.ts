import { copyIn, eventually, startPostgres } from '@rowtap/driver-testkit'
import { describePostgres } from '@rowtap/driver-testkit/vitest'
import { describe, expect, test } from 'vitest'
import { testHost, testSession, wanted } from '../testing/test-session.ts'
import { walDriver } from '../wal-driver.ts'

const FLUSHED = `SELECT confirmed_flush_lsn::text AS flushed FROM pg_replication_slots WHERE slot_name ~ '^rowtap_e_' AND database = current_database()`
const BEHIND = `SELECT confirmed_flush_lsn < pg_current_wal_flush_lsn() AS behind FROM pg_replication_slots
  WHERE slot_name ~ '^rowtap_e_' AND database = current_database()`
/** Another reader of the same publication ($1), which says where each commit ends. */
const WITNESS = `SELECT pg_create_logical_replication_slot('witness_' || md5(current_database()), 'pgoutput', true)`
const FIRST_COMMIT_END = `
  SELECT lsn::text AS after
  FROM pg_logical_slot_peek_binary_changes('witness_' || md5(current_database()), NULL, NULL, 'proto_version', '1', 'publication_names', $1)
  WHERE get_byte(data, 0) = ascii('C') ORDER BY lsn LIMIT 1`

describePostgres('a session', (postgres) => {
  test('gives a change the same id whatever else is captured, and every change its own', async () => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE a (id int PRIMARY KEY, v text); CREATE TABLE b (id int PRIMARY KEY)')
    await using few = await testSession({ connection: database.url })
    await few.session.capture([wanted('a')])
    await using many = await testSession({ connection: database.url })
    await many.session.capture([wanted('b'), wanted('a')])
    const writer = await database.connect()
    // COPY writes many rows with one log record.
    await copyIn(writer, 'COPY a FROM STDIN', Array.from({ length: 500 }, (_, id) => `${id}\tcopied\n`).join(''))
    await writer.query(
      'BEGIN; INSERT INTO b VALUES (1); UPDATE a SET v = $$x$$ WHERE id < 10; INSERT INTO b VALUES (2); DELETE FROM a WHERE id = 3; COMMIT',
    )
    await writer.query('TRUNCATE a, b')
    const ofFew = await few.count(512)
    const ofMany = await many.count(515)
    expect(ofFew.map((change) => change.id)).toEqual(
      ofMany.filter((change) => change.table === 'a').map((change) => change.id),
    )
    expect(new Set(ofMany.map((change) => change.id)).size).toBe(515)
    expect(ofMany.map((change) => change.position)).toEqual(ofMany.map((change) => change.position).toSorted())
    expect(new Set(ofMany.map((change) => change.position)).size).toBe(515)
    expect(ofMany.slice(-2)).toMatchObject([{ kind: 'truncate' }, { kind: 'truncate' }])
  })

  test('acknowledges no further than what is handled, and to the exact end of a commit', async () => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE other (id int)')
    await using wal = await testSession({ connection: database.url, acknowledges: false })
    await wal.session.capture([wanted('t')])
    await database.query(WITNESS)
    await database.query('INSERT INTO t VALUES (1)')
    await database.query('INSERT INTO t VALUES (2), (3)')
    const [publication] = await database.query(`SELECT pubname AS name FROM pg_publication WHERE pubname ~ '_all$'`)
    const [row] = await database.query(FIRST_COMMIT_END, [publication?.['name']])
    const [first, second] = await wal.count(3)
    if (first === undefined || second === undefined) throw new Error('unreachable')
    const flushed = async (): Promise<unknown> => (await database.query(FLUSHED))[0]?.['flushed']
    wal.session.acknowledge(first.position)
    await eventually(async () => (await flushed()) === row?.['after'], 'the end of the first commit')
    // Half of a transaction is nothing that the server could begin with again.
    wal.session.acknowledge(second.position)
    await database.query('INSERT INTO other SELECT generate_series(1, 1000)')
    await wal.session.capture([wanted('t')])
    expect(await flushed()).toBe(row?.['after'])
    const last = wal.changes.at(-1)
    if (last !== undefined) wal.session.acknowledge(last.position)
    await eventually(
      async () => (await database.query(BEHIND))[0]?.['behind'] === false,
      'the slot moves on where nothing is in flight',
    )
  })

  test(
    'reads a bounded amount ahead of a slow reader, and goes on to be alive for the server',
    { timeout: 60_000 },
    async () => {
      await using database = await postgres.createDatabase()
      await database.query('CREATE TABLE t (id int PRIMARY KEY, v text)')
      await database.query(`ALTER DATABASE "${database.name}" SET wal_sender_timeout = '900ms'`)
      const session = await walDriver({ connection: database.url }).open(testHost())
      try {
        await session.capture([wanted('t')])
        const batches = session.batches()[Symbol.asyncIterator]()
        await database.query(`INSERT INTO t SELECT i, repeat('x', 1000) FROM generate_series(1, 60000) i`)
        const first = await batches.next()
        const before = process.memoryUsage()
        // Longer than the server waits for a sign of life, which shows in how its own state of the connection ages.
        await eventually(
          async () =>
            (
              await database.query(
                `SELECT now() - backend_start > '4 s' AS old FROM pg_stat_replication JOIN pg_replication_slots ON active_pid = pid WHERE database = current_database()`,
              )
            )[0]?.['old'] === true,
          'four seconds of the connection',
        )
        const after = process.memoryUsage()
        expect(after.external + after.arrayBuffers - before.external - before.arrayBuffers).toBeLessThan(
          16 * 1024 * 1024,
        )
        let count = first.done === true ? 0 : first.value.changes.length
        for (let next = first; count < 60_000 && next.done !== true;) {
          expect(next.value.bytes).toBeLessThan(512 * 1024)
          next = await batches.next()
          if (next.done !== true) count += next.value.changes.length
        }
        expect(count).toBe(60_000)
      } finally {
        await session.close()
      }
    },
  )

  test('closes in the middle of a transaction of which nobody reads the rest', async () => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE t (id int PRIMARY KEY, v text)')
    const session = await walDriver({ connection: database.url }).open(testHost())
    await session.capture([wanted('t')])
    await database.query(`INSERT INTO t SELECT i, repeat('x', 1000) FROM generate_series(1, 50000) i`)
    const batches = session.batches()[Symbol.asyncIterator]()
    expect((await batches.next()).done).toBe(false)
    const waiting = batches.next()
    await session.close()
    await session.close()
    expect([(await waiting).done ?? false, (await batches.next()).done]).toContain(true)
    expect(await database.query(FLUSHED)).toEqual([])
    await expect(session.capture([])).rejects.toMatchObject({ code: 'ERR_CLOSED' })
  })

  test('tells that the stream was lost, once everything before is delivered', async () => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE t (id int PRIMARY KEY)')
    await using wal = await testSession({ connection: database.url, reconnect: false })
    await wal.session.capture([wanted('t')])
    await database.query('INSERT INTO t VALUES (1)')
    await wal.count(1)
    await database.query(
      `SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE database = current_database()`,
    )
    await expect(wal.reading).rejects.toMatchObject({ code: 'ERR_CONNECTION_LOST', retryable: true })
    await expect(wal.session.capture([])).rejects.toMatchObject({ code: 'ERR_CONNECTION_LOST' })
    await wal.session.close()
    expect(await database.query('SELECT pubname FROM pg_publication')).toEqual([])
  })

  test('leaves out what it cannot know: large values, and old rows without identity', async () => {
    await using database = await postgres.createDatabase()
    await database.query(
      'CREATE TABLE t (id int PRIMARY KEY, v int, large text); ALTER TABLE t ALTER large SET STORAGE EXTERNAL',
    )
    await using wal = await testSession({ connection: database.url })
    await wal.session.capture([wanted('t')])
    await database.query(`INSERT INTO t VALUES (1, NULL, repeat('x', 5000))`)
    await database.query('UPDATE t SET v = 2; UPDATE t SET id = 5; DELETE FROM t')
    const large = 'x'.repeat(5000)
    expect(await wal.count(4)).toMatchObject([
      { kind: 'insert', old: null, new: ['1', null, large] },
      { kind: 'update', old: null, new: ['1', '2', undefined] },
      { kind: 'update', old: ['1', undefined, undefined], new: ['5', '2', undefined] },
      { kind: 'delete', old: ['5', undefined, undefined], new: null },
    ])
    await database.query(
      `ALTER TABLE t REPLICA IDENTITY FULL; INSERT INTO t VALUES (1, NULL, repeat('x', 5000)); UPDATE t SET v = 2`,
    )
    expect((await wal.count(6)).at(-1)).toMatchObject({
      kind: 'update',
      old: ['1', null, large],
      new: ['1', '2', undefined],
    })
  })
})

describe('a session', () => {
  test('ends without hanging when the server is gone', { timeout: 60_000 }, async () => {
    const server = await startPostgres()
    await using wal = await testSession({ connection: server.url, reconnect: false })
    await server.stop('immediate')
    await expect(wal.reading).rejects.toMatchObject({ code: 'ERR_CONNECTION_LOST' })
    const start = performance.now()
    await wal.session.close()
    expect(performance.now() - start).toBeLessThan(3000)
  })

  test('does not keep the server from stopping', { timeout: 60_000 }, async () => {
    const server = await startPostgres()
    await using wal = await testSession({ connection: server.url, reconnect: false })
    const start = performance.now()
    await server.stop('fast')
    expect(performance.now() - start).toBeLessThan(4000)
    await expect(wal.reading).rejects.toMatchObject({ code: 'ERR_CONNECTION_LOST' })
  })
})
