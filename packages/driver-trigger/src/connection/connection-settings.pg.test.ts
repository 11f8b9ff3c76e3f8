import { describePostgres } from '@rowtap/driver-testkit/vitest'
import { expect, test } from 'vitest'
import { sql } from '../sql/sql.ts'
import { openConnection } from './connection.ts'

const LIMITS = [
  'statement_timeout',
  'transaction_timeout',
  'idle_session_timeout',
  'idle_in_transaction_session_timeout',
]
const IN_FORCE = sql`select s.name, s.setting from pg_catalog.pg_settings s where s.name = any ($1::text[]) order by s.name`

describePostgres('a connection to a database that limits how long things may take', (postgres) => {
  test.each([null, 'transaction'] as const)('is not subject to that (pooler: %s)', async (pooler) => {
    await using database = await postgres.createDatabase()
    const known = await database.query('SELECT name FROM pg_settings WHERE name = ANY ($1)', [LIMITS])
    for (const { name } of known) {
      await database.query(`ALTER DATABASE "${database.name}" SET "${String(name)}" = '10min'`)
    }
    const options = { connection: database.url, schema: 'rowtap', pooler }
    const connection = await openConnection(options, new AbortController().signal)
    const found = await connection.rows<{ name: string; setting: string }>(IN_FORCE, [LIMITS])
    await connection.close()
    // What holds between two transactions is the pooler's.
    const ours = found.filter(({ name }) => pooler === null || !name.startsWith('idle_'))
    expect(ours.length).toBeGreaterThan(0)
    expect(ours.filter(({ setting }) => setting !== '0')).toEqual([])
  })
})

describePostgres('a connection', (postgres) => {
  test('is given up by the server in a few seconds when this end is gone, whatever the database’s settings are', async () => {
    await using database = await postgres.createDatabase()
    await database.query(`ALTER DATABASE "${database.name}" SET tcp_keepalives_idle = 7200`)
    const connection = await openConnection(
      { connection: database.url, schema: 'rowtap' },
      new AbortController().signal,
    )
    try {
      const names = ['tcp_keepalives_count', 'tcp_keepalives_idle', 'tcp_keepalives_interval']
      const found = await connection.rows<{ name: string; setting: string }>(IN_FORCE, [names])
      // As the server's kernel has them.
      expect(found.map(({ setting }) => setting)).toEqual(['3', '2', '1'])
    } finally {
      await connection.close()
    }
  })
})
