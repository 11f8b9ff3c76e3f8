import { eventually, startPostgres } from '@rowtap/driver-testkit'
import { describe, expect, test } from 'vitest'
import { openTestSession } from '../testing/open-test-session.ts'

const SETTINGS = { max_notify_queue_pages: 64, max_prepared_transactions: 0 }

describe('a server whose queue of notifications is full, because somebody else does not read theirs', () => {
  test('has writers that write, and clients that start, hear of it and close', { timeout: 120_000 }, async () => {
    await using server = await startPostgres({ sources: ['embedded'], version: 18, settings: SETTINGS })
    const database = await server.createDatabase()
    await database.query('CREATE TABLE t (id int PRIMARY KEY)')
    const first = await openTestSession({ connection: database.url })
    await first.capture('t')
    const [idle, writer] = [await database.connect(), await database.connect()]
    await idle.query('LISTEN others')
    await idle.query('BEGIN')
    await idle.query('SELECT 1')
    const fill = async (): Promise<void> => {
      for (;;) await writer.query(`SELECT pg_notify('others', repeat('x', 7000) || clock_timestamp())`)
    }
    await expect(fill()).rejects.toThrow('too many notifications')
    for (const id of [1, 2]) {
      await eventually(async () => {
        const [state] = await database.query('SELECT last_value & 1 AS sleeps FROM rowtap.state')
        return Number(state?.['sleeps']) === 1
      }, 'a reader that sleeps')
      await writer.query('INSERT INTO t VALUES ($1)', [id])
      await first.count(id)
    }
    const second = await openTestSession({ connection: database.url })
    await second.capture('t')
    await writer.query('INSERT INTO t VALUES (3)')
    await second.count(1)
    await first.count(3)
    await second.close()
    await first.close()
    expect([first.error(), second.error()]).toEqual([null, null])
    await idle.end()
    await writer.end()
  })
})
