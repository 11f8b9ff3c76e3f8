import type { DurableSubscription } from '@rowtap/core/driver'
import { eventually, tcpProxy } from '@rowtap/driver-testkit'
import { describePostgres } from '@rowtap/driver-testkit/vitest'
import { expect, test } from 'vitest'
import { describeChange, openTestSession } from '../testing/open-test-session.ts'

const BILLING: DurableSubscription = { name: 'billing', wait: true, onPositionLost: 'stop' }

describePostgres('a subscription whose client gives no sign of life, while its connections stay open', (postgres) => {
  test.each([true, false])('goes over to another client soon, and to that one alone (wait: %s)', async (wait) => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE t (id int PRIMARY KEY)')
    await using proxy = await tcpProxy(database.url)
    // This one does not notice for a long time.
    const silent = await openTestSession({ connection: proxy.url, livenessMs: 600_000 }, BILLING)
    silent.holdBack()
    await silent.capture('t')
    await database.query('INSERT INTO t VALUES (1), (2)')
    const [, second] = await silent.count(2)
    proxy.freeze()
    await eventually(async () => {
      const rows = await database.query(
        `SELECT FROM pg_stat_activity WHERE application_name = 'rowtap' AND datname = current_database()
          AND state_change > now() - interval '4 s'`,
      )
      return rows.length === 0
    }, 'nothing passes any more')
    await using next = await openTestSession({ connection: database.url, livenessMs: 1000 }, { ...BILLING, wait })
    expect((await next.count(2)).map(describeChange)).toEqual(['insert t new=(1)', 'insert t new=(2)'])
    // What the other one says now is of no consequence.
    if (second !== undefined) silent.session.acknowledge(second.position)
    proxy.thaw()
    await eventually(() => silent.notices.some(({ kind }) => kind === 'reconnect'), 'the other one finds its end')
    await database.query('INSERT INTO t VALUES (3)')
    await next.count(3)
    expect(silent.changes).toHaveLength(2)
    await next.close()
    // It waited for its turn.
    await database.query('INSERT INTO t VALUES (4)')
    expect((await silent.count(3)).slice(2).map(describeChange)).toEqual(['insert t new=(4)'])
    await silent.close()
  })

  test('stays with a client that is idle', async () => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE t (id int PRIMARY KEY)')
    await using idle = await openTestSession({ connection: database.url, livenessMs: 600_000 }, BILLING)
    const refused = async (): Promise<void> => {
      const next = openTestSession({ connection: database.url, livenessMs: 500 }, { ...BILLING, wait: false })
      await expect(next).rejects.toMatchObject({ code: 'ERR_SUBSCRIPTION_IN_USE' })
    }
    const since = performance.now()
    await eventually(async () => {
      await refused()
      return performance.now() - since > 6000
    }, 'six seconds without a take-over')
    await idle.capture('t')
    await refused()
    expect(idle.notices).toEqual([])
  })
})
