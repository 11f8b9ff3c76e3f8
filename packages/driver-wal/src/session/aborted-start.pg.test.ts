import type { TestDatabase } from '@rowtap/driver-testkit'
import { eventually } from '@rowtap/driver-testkit'
import { describePostgres } from '@rowtap/driver-testkit/vitest'
import { afterEach, expect, test } from 'vitest'
import { ControlConnection } from '../connection/control-connection.ts'
import { ReplicationConnection } from '../replication/replication-connection.ts'
import { testHost, testSession, wanted } from '../testing/test-session.ts'
import { walDriver } from '../wal-driver.ts'
import { dropSubscription } from './drop-subscription.ts'

const SLOTS = `SELECT slot_name FROM pg_replication_slots WHERE database = current_database()`
const PUBLICATIONS = `SELECT pubname FROM pg_publication`
const CONNECTIONS = `SELECT FROM pg_stat_activity WHERE datname = current_database() AND application_name ~ '^rowtap' AND application_name <> 'rowtap-testkit'`

const undo: (() => void)[] = []
afterEach(() => {
  for (const restore of undo.splice(0)) restore()
})

/** Calls back before each step that a session asks of the server. */
function onStep(step: () => void): void {
  for (const [type, names] of [
    [ControlConnection.prototype, ['query', 'transaction']],
    [ReplicationConnection.prototype, ['connect', 'createSlot', 'processId', 'senderTimeoutMs', 'start']],
  ] as const) {
    for (const name of names) {
      const original: unknown = Reflect.get(type, name)
      if (typeof original !== 'function') throw new TypeError(name)
      Reflect.set(type, name, function (this: unknown, ...given: unknown[]): unknown {
        step()
        const result: unknown = Reflect.apply(original, this, given)
        return result
      })
      undo.push(() => Reflect.set(type, name, original))
    }
  }
}

/** What a start leaves behind that was given up is never a slot that cannot be read. */
async function checkLeftovers(database: TestDatabase): Promise<void> {
  await eventually(async () => (await database.query(CONNECTIONS)).length === 0, 'nobody is connected')
  const slots = await database.query(SLOTS)
  if (slots.length > 0) expect(await database.query(PUBLICATIONS)).toHaveLength(2)
}

describePostgres('a first start that is given up', (postgres) => {
  test('at whatever step leaves nothing that the next one cannot go on with', { timeout: 120_000 }, async () => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE t (id int PRIMARY KEY)')
    const connection = database.url
    for (let last = 1, isDone = false; !isDone; last += 1) {
      const host = testHost({ name: 'billing' })
      let steps = 0
      onStep(() => {
        steps += 1
        if (steps === last) host.abort()
      })
      const opened = await walDriver({ connection })
        .open(host)
        .catch(() => null)
      await opened?.close()
      for (const restore of undo.splice(0)) restore()
      isDone = steps < last
      await checkLeftovers(database)
      // What is left is no obstacle.
      const next = await testSession({ connection, host: testHost({ name: 'billing' }) })
      await next.session.capture([wanted('t')])
      await next.session.close()
      expect(next.host.notices).toEqual([])
      await dropSubscription({ connection }, 'billing')
    }
  })

  test('while its slot waits for others leaves nothing', async () => {
    await using database = await postgres.createDatabase()
    const connection = database.url
    const older = await database.connect()
    await older.query('BEGIN; SELECT txid_current()')
    const host = testHost({ name: 'billing' })
    const opening = walDriver({ connection })
      .open(host)
      .catch((error: unknown) => error)
    await eventually(async () => (await database.query(SLOTS)).length === 1, 'the slot is being made')
    host.abort()
    expect(await opening).toMatchObject({ code: 'ERR_ABORTED' })
    await older.query('COMMIT')
    await checkLeftovers(database)
    expect(await database.query(SLOTS)).toEqual([])
    expect(await database.query(PUBLICATIONS)).toEqual([])
    const next = await testSession({ connection, host: testHost({ name: 'billing' }) })
    await next.session.close()
  })
})
