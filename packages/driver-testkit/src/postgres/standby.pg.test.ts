import { Client } from 'pg'
import { expect, test } from 'vitest'
import { eventually } from '../tools/eventually.ts'
import { startPostgres } from './start-postgres.ts'

test.each([14, 18] as const)(
  'a standby of a server of version %s follows it, and is a primary once it is promoted',
  { timeout: 60_000 },
  async (version) => {
    await using primary = await startPostgres({ version, sources: ['embedded'] })
    const writer = new Client({ connectionString: primary.url })
    writer.on('error', () => undefined)
    await writer.connect()
    await writer.query('CREATE TABLE t (id int); INSERT INTO t VALUES (1)')
    await using standby = await startPostgres({ standbyOf: primary })
    expect(standby.version).toBe(version)
    const reader = new Client({ connectionString: standby.url })
    await reader.connect()
    await writer.query('INSERT INTO t VALUES (2)')
    await eventually(async () => (await reader.query('SELECT FROM t')).rowCount === 2, 'the standby has the row')
    await primary.stop('immediate')
    await reader.query('SELECT pg_promote()')
    await reader.query('INSERT INTO t VALUES (3)')
    expect((await reader.query('SELECT id FROM t ORDER BY id')).rows).toEqual([{ id: 1 }, { id: 2 }, { id: 3 }])
    await reader.end()
  },
)
