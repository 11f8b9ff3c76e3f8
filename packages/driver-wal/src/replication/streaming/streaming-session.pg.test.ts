import { mkdtemp, readdir, readlink, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestDatabase } from '@rowtap/driver-testkit'
import { eventually } from '@rowtap/driver-testkit'
import { describePostgres } from '@rowtap/driver-testkit/vitest'
import { expect, test } from 'vitest'
import { notices } from '../../testing/notices.ts'
import type { TestHost } from '../../testing/test-session.ts'
import { testHost, testSession, wanted } from '../../testing/test-session.ts'
import { walDriver } from '../../wal-driver.ts'

const CUT = `SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE database = current_database() AND active`
const IS_OLD = `SELECT now() - backend_start > '4 s' AS old FROM pg_stat_replication
  JOIN pg_replication_slots ON active_pid = pid WHERE database = current_database()`
const SENT = `SELECT FROM pg_stat_replication JOIN pg_replication_slots ON active_pid = pid
  WHERE database = current_database() AND sent_lsn >= $1::pg_lsn`
const rows = (from: number, count: number): string =>
  `INSERT INTO t SELECT i, repeat('x', 300) FROM generate_series(${from}, ${from + count - 1}) AS i`

/** A directory for spilled files, and how many of them are open: they have no names. */
interface SpillDirectory extends AsyncDisposable {
  readonly path: string
  openFiles(): Promise<number>
}

async function spillDirectory(): Promise<SpillDirectory> {
  const path = await mkdtemp(join(tmpdir(), 'rowtap-test-'))
  return {
    path,
    async openFiles() {
      const descriptors = await readdir('/proc/self/fd')
      // One that is closed meanwhile has no link any more.
      const targets = await Promise.all(descriptors.map((name) => readlink(`/proc/self/fd/${name}`).catch(() => '')))
      return targets.filter((target) => target.startsWith(path)).length
    },
    [Symbol.asyncDispose]: () => rm(path, { recursive: true }),
  }
}

describePostgres('a session that streams', (postgres) => {
  async function database(): Promise<TestDatabase> {
    const made = await postgres.createDatabase()
    await made.query(`ALTER DATABASE "${made.name}" SET logical_decoding_work_mem = '64kB'`)
    await made.query('CREATE TABLE t (id int PRIMARY KEY, v text)')
    return made
  }

  test('goes on to be alive for the server while nobody takes what is replayed', { timeout: 60_000 }, async () => {
    await using source = await database()
    await source.query(`ALTER DATABASE "${source.name}" SET wal_sender_timeout = '900ms'`)
    const options = { connection: source.url, streaming: 'on', streamingBufferBytes: 1024 * 1024 } as const
    const session = await walDriver(options).open(testHost())
    try {
      await session.capture([wanted('t')])
      const batches = session.batches()[Symbol.asyncIterator]()
      const pending = batches.next()
      await source.query(rows(1, 60_000))
      const first = await pending
      const before = process.memoryUsage()
      await eventually(async () => (await source.query(IS_OLD))[0]?.['old'] === true, 'four seconds of the connection')
      const after = process.memoryUsage()
      expect(after.external + after.arrayBuffers - before.external - before.arrayBuffers).toBeLessThan(16 * 1024 * 1024)
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
  })

  test.skipIf(process.platform !== 'linux')(
    'frees what it has on the disk when it is not needed any more',
    async () => {
      await using directory = await spillDirectory()
      await using source = await database()
      const options = { streaming: 'on', streamingBufferBytes: 0, spillDirectory: directory.path } as const
      await using wal = await testSession({ connection: source.url, ...options })
      await wal.session.capture([wanted('t')])
      const [one, other, left] = [await source.connect(), await source.connect(), await source.connect()]
      await one.query(`BEGIN; ${rows(1, 1000)}`)
      await other.query(`BEGIN; ${rows(10_000, 1000)}`)
      await left.query(`BEGIN; ${rows(20_000, 1000)}`)
      await eventually(async () => (await directory.openFiles()) === 3, 'a file for each transaction')
      await one.query('ROLLBACK')
      await source.query(`INSERT INTO t VALUES (0)`)
      await eventually(async () => (await directory.openFiles()) === 2, 'the rollback to free its file')
      await other.query('COMMIT')
      await wal.count(1001)
      await eventually(async () => (await directory.openFiles()) === 1, 'the delivery to free its file')
      await wal.session.close()
      expect(await directory.openFiles()).toBe(0)
      expect(await readdir(directory.path)).toEqual([])
    },
  )

  test.skipIf(process.platform !== 'linux')(
    'closes in the middle of a replay of which nobody takes the rest',
    async () => {
      await using directory = await spillDirectory()
      await using source = await database()
      const options = { streaming: 'on', streamingBufferBytes: 0, spillDirectory: directory.path } as const
      const session = await walDriver({ connection: source.url, ...options }).open(testHost())
      await session.capture([wanted('t')])
      const batches = session.batches()[Symbol.asyncIterator]()
      const pending = batches.next()
      await source.query(rows(1, 5000))
      expect((await pending).done).toBe(false)
      expect(await directory.openFiles()).toBe(1)
      await session.close()
      expect(await directory.openFiles()).toBe(0)
    },
  )

  test.skipIf(process.platform !== 'linux')(
    'drops what it has of an open transaction when it is cut off, and gets the whole of it again',
    async () => {
      await using directory = await spillDirectory()
      await using source = await database()
      const options = { streaming: 'on', streamingBufferBytes: 0, spillDirectory: directory.path } as const
      const host = testHost({ name: 'cut' })
      await using wal = await testSession({ connection: source.url, host, ...options })
      await wal.session.capture([wanted('t')])
      const writer = await source.connect()
      await writer.query(`BEGIN; ${rows(1, 1000)}; SAVEPOINT a; ${rows(10_000, 1000)}; ROLLBACK TO a`)
      await eventually(async () => (await directory.openFiles()) === 1, 'a part of the transaction')
      await source.query(CUT)
      await eventually(() => host.notices.some(({ kind }) => kind === 'reconnect'), 'the loss of the connection')
      await writer.query(`${rows(20_000, 1000)}; COMMIT`)
      const changes = await wal.count(2000)
      expect(changes.length).toBe(2000)
      expect(new Set(changes.map(({ id }) => id)).size).toBe(2000)
      expect(changes.map(({ new: row }) => Number(row?.[0]) >= 10_000 && Number(row?.[0]) < 20_000)).not.toContain(true)
      await eventually(async () => (await directory.openFiles()) === 0, 'the delivery to free its file')
      expect(host.notices.map(({ kind }) => kind)).not.toContain('gap')
    },
  )

  test('is refused where no file can be made, before anything is', async () => {
    await using source = await database()
    const directory = join(tmpdir(), 'there is no such directory')
    const driver = walDriver({ connection: source.url, streaming: 'on', spillDirectory: directory })
    await expect(driver.open(testHost({ name: 'billing' }))).rejects.toMatchObject({
      code: 'ERR_STORAGE',
      message: expect.stringContaining(directory),
    })
    expect(await source.query('SELECT FROM pg_publication')).toEqual([])
  })

  test('fails with one clear error where it cannot write to the disk any more', async () => {
    await using source = await database()
    const directory = await mkdtemp(join(tmpdir(), 'rowtap-test-'))
    const options = { streaming: 'on', streamingBufferBytes: 0, spillDirectory: directory } as const
    await using wal = await testSession({ connection: source.url, ...options })
    await wal.session.capture([wanted('t')])
    await rm(directory, { recursive: true })
    await source.query(rows(1, 1000))
    await expect(wal.reading).rejects.toMatchObject({
      code: 'ERR_STORAGE',
      message: expect.stringContaining(directory),
    })
  })

  /** Writes 2,001 rows in a way that servers up to 18 fail to stream before the commit. */
  async function writeUnstreamable(source: TestDatabase, host: TestHost, from: number): Promise<void> {
    const writer = await source.connect()
    const statements = [
      `BEGIN; ${rows(from, 1000)}`,
      'SAVEPOINT a; ALTER TABLE t ALTER COLUMN v TYPE varchar(400)',
      rows(from + 1000, 1000),
      'ROLLBACK TO a',
      rows(from + 1000, 1000),
    ]
    for (const statement of statements) {
      await writer.query(statement)
      // Also what is not committed is on the disk then, and sent.
      await source.query('CHECKPOINT')
      const [row] = await source.query('SELECT pg_current_wal_flush_lsn()::text AS place')
      await eventually(
        async () => notices(host, 'reconnect').length > 0 || (await source.query(SENT, [row?.['place']])).length > 0,
        'it is sent, or cannot be',
      )
    }
    await writer.query('ALTER TABLE t ALTER COLUMN v TYPE varchar(500)')
    await writer.query(`COMMIT; ${rows(from + 2000, 1)}`)
  }

  test('gets past a transaction that the server fails to stream', { timeout: 60_000 }, async () => {
    await using source = await database()
    const host = testHost({ name: 'billing' })
    const reconnect = { minDelayMs: 10, maxDelayMs: 100 }
    await using wal = await testSession({ connection: source.url, host, streaming: 'on', reconnect })
    await wal.session.capture([wanted('t')])
    let written = 0
    // As often as not the server manages: what it knows of the table may have been thrown away meanwhile, by whoever else
    // works on it.
    for (let attempt = 0; attempt < 100 && notices(host, 'reconnect').length === 0; attempt += 1) {
      await writeUnstreamable(source, host, written)
      written += 2001
      await wal.count(written)
    }
    expect(wal.changes.map((change) => Number(change.new?.[0]))).toEqual(Array.from({ length: written }, (_, id) => id))
    expect(notices(host, 'gap')).toEqual([])
    const [first, ...others] = notices(host, 'reconnect').map(({ cause }) => cause.message)
    // A server that never fails needs none of this.
    expect(first).toMatch(/could not map file.*after their commit/)
    expect(others.every((message) => message.includes('after their commit'))).toBe(true)
  })
})
