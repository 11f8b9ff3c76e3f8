import { eventually } from '@rowtap/driver-testkit'
import { describePostgres } from '@rowtap/driver-testkit/vitest'
import pg from 'pg'
import { expect, test } from 'vitest'
import { describeChange, openTestSession } from '../testing/open-test-session.ts'
import { transactionPooler } from '../testing/transaction-pooler.ts'

describePostgres('a session behind a transaction pooler', (postgres) => {
  test('captures and reads, and leaves nothing behind, in the database or in the pooler’s sessions', async () => {
    await using database = await postgres.createDatabase()
    await database.query(`CREATE TABLE t (id int PRIMARY KEY, at timestamptz, of regclass);
      ALTER DATABASE "${database.name}" SET "DateStyle" = 'SQL, DMY';
      ALTER DATABASE "${database.name}" SET search_path = public`)
    await using pooler = await transactionPooler(database.url)
    const session = await openTestSession({ connection: pooler.url, pooler: 'transaction' })
    await session.capture('t')
    const [row] = await database.query('SELECT process_id FROM rowtap.consumer')
    expect(row).toEqual({ process_id: 0 })
    for (let id = 1; id <= 50; id += 1) {
      await database.query(`INSERT INTO t VALUES ($1, '2026-01-02 03:04:05+00', 't')`, [id])
    }
    await session.count(50)
    // It is idle for a while, and finds what comes then by itself.
    const since = performance.now()
    await eventually(() => performance.now() - since > 1500, 'some time')
    await database.query('DELETE FROM t WHERE id <= 2')
    const changes = await session.count(52)
    expect(changes.slice(0, 2).map(describeChange)).toEqual([
      'insert t new=(1,2026-01-02 03:04:05+00,t)',
      'insert t new=(2,2026-01-02 03:04:05+00,t)',
    ])
    expect(changes.slice(50).map(({ kind }) => kind)).toEqual(['delete', 'delete'])
    expect(session.notices).toEqual([])
    await session.close()
    await using other = await openTestSession({ connection: pooler.url, pooler: 'transaction' })
    for (const setting of ['enable_seqscan', 'DateStyle', 'search_path', 'statement_timeout']) {
      // Three times: once for each of the pooler’s sessions.
      for (let count = 0; count < 3; count += 1) {
        const [shown] = await throughPooler(pooler.url, `SELECT current_setting('${setting}') AS value`)
        expect(shown?.value, setting).toBe(EXPECTED[setting])
      }
    }
    await other.close()
    expect(await database.query(`SELECT FROM pg_namespace WHERE nspname = 'rowtap'`)).toEqual([])
    expect(await database.query(`SELECT name FROM pg_prepared_statements`)).toEqual([])
  })

  test('is known to live by its lease, and not by a process of the server', async () => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE t (id int PRIMARY KEY)')
    await using pooler = await transactionPooler(database.url)
    await using session = await openTestSession({ connection: pooler.url, pooler: 'transaction' })
    await session.capture('t')
    // Whoever starts removes those whose process is gone.
    const next = await openTestSession({ connection: database.url })
    await next.capture('t')
    await next.close()
    await database.query('INSERT INTO t VALUES (1)')
    await session.count(1)
    expect(session.notices).toEqual([])
  })

  test('with a subscription is refused before anything is done', async () => {
    await using database = await postgres.createDatabase()
    await using pooler = await transactionPooler(database.url)
    const opening = openTestSession(
      { connection: pooler.url, pooler: 'transaction' },
      { name: 'billing', wait: true, onPositionLost: 'stop' },
    )
    await expect(opening).rejects.toMatchObject({ code: 'ERR_INVALID_OPTIONS' })
  })
})

const EXPECTED: Readonly<Record<string, string>> = {
  enable_seqscan: 'on',
  DateStyle: 'SQL, DMY',
  search_path: 'public',
  statement_timeout: '0',
}

async function throughPooler(url: string, text: string): Promise<readonly { readonly value: string }[]> {
  const client = new pg.Client(url)
  await client.connect()
  try {
    const { rows } = await client.query<{ readonly value: string }>(text)
    return rows
  } finally {
    await client.end()
  }
}
