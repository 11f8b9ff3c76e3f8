import { setTimeout as pause } from 'node:timers/promises'
import { connect } from '@rowtap/core'
import type { TestDatabase } from '@rowtap/driver-testkit'
import { eventually } from '@rowtap/driver-testkit'
import { describePostgres } from '@rowtap/driver-testkit/vitest'
import { expect, test } from 'vitest'
import { triggerDriver } from '../trigger-driver.ts'

const LOOKING_MS = 12_000

/** How often somebody waits for the lock on `t` that writers queue behind, in so many milliseconds. */
async function attemptsOn(database: TestDatabase): Promise<number> {
  const found = new Set<string>()
  for (const start = performance.now(); performance.now() - start < LOOKING_MS;) {
    const waiting = await database.query(`
      SELECT waitstart::text FROM pg_locks
      WHERE relation = 't'::regclass AND mode = 'AccessExclusiveLock' AND NOT granted AND waitstart IS NOT NULL`)
    for (const { waitstart } of waiting) found.add(String(waitstart))
    // An attempt waits for longer.
    await pause(20)
  }
  return found.size
}

async function untilDropped(database: TestDatabase): Promise<void> {
  const left = `SELECT FROM pg_trigger WHERE tgrelid = 't'::regclass AND tgname = '!rowtap insert'`
  await eventually(async () => (await database.query(left)).length === 0, 'the end of the triggers', {
    timeoutMs: 60_000,
  })
}

describePostgres('triggers on a table that a transaction keeps open', (postgres) => {
  test('are replaced by those without rows in ever rarer attempts', async () => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE t (id int)')
    await using client = await connect(triggerDriver({ connection: database.url }))
    await client.listen({ table: 't', rows: false }).ready
    const other = await connect(triggerDriver({ connection: database.url }))
    await other.listen({ table: 't' }).ready
    const writer = await database.connect()
    await writer.query('BEGIN; INSERT INTO t VALUES (1)')
    await other.close()
    const attempts = await attemptsOn(database)
    expect(attempts).toBeGreaterThan(0)
    expect(attempts).toBeLessThanOrEqual(5)
    await writer.query('COMMIT')
    await untilDropped(database)
  })

  test('are dropped in ever rarer attempts, each of which waits for one lock', async () => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE t (id int); CREATE TABLE other (id int)')
    await using client = await connect(triggerDriver({ connection: database.url }))
    await client.listen({ table: 'other' }).ready
    const listener = client.listen({ table: 't' })
    await listener.ready
    const writer = await database.connect()
    await writer.query('BEGIN; INSERT INTO t VALUES (1)')
    await listener.stop()
    const attempts = await attemptsOn(database)
    expect(attempts).toBeGreaterThan(0)
    expect(attempts).toBeLessThanOrEqual(5)
    await writer.query('COMMIT')
    await untilDropped(database)
  })
})
