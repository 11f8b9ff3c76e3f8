import { Client } from 'pg'
import { expect, test } from 'vitest'
import { describePostgres } from '../vitest/describe-postgres.ts'
import { tcpProxy } from './tcp-proxy.ts'

describePostgres('a proxy', (postgres) => {
  test('passes, holds everything back, passes it again, and cuts', async () => {
    await using database = await postgres.createDatabase()
    await using proxy = await tcpProxy(database.url)
    const client = new Client({ connectionString: proxy.url })
    const lost = new Promise<Error>((resolve) => client.on('error', resolve))
    await client.connect()
    expect((await client.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }])
    // Nothing is held back: nothing passes twice.
    proxy.thaw()
    expect((await client.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }])
    proxy.freeze()
    let hasAnswered = false
    const held = client.query<{ two: number }>('SELECT 2 AS two').then(({ rows }) => {
      hasAnswered = true
      return rows
    })
    // The server answers another one meanwhile.
    for (let round = 0; round < 20; round += 1) await database.query('SELECT pg_sleep(0.01)')
    expect(hasAnswered).toBe(false)
    proxy.thaw()
    expect(await held).toEqual([{ two: 2 }])
    proxy.cut()
    expect(await lost).toBeInstanceOf(Error)
    const second = new Client({ connectionString: proxy.url })
    await second.connect()
    await second.end()
  })
})
