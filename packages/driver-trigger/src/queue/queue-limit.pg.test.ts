import type { DurableSubscription } from '@rowtap/core/driver'
import { RowtapError } from '@rowtap/core/driver'
import type { TestDatabase } from '@rowtap/driver-testkit'
import { eventually } from '@rowtap/driver-testkit'
import { describePostgres } from '@rowtap/driver-testkit/vitest'
import { expect, test } from 'vitest'
import { inspectTrigger } from '../health/inspect-trigger.ts'
import type { TestSession } from '../testing/open-test-session.ts'
import { openTestSession } from '../testing/open-test-session.ts'
import type { QueueLimit } from '../trigger-options.ts'

function billing(onPositionLost: 'stop' | 'restart' = 'stop'): DurableSubscription {
  return { name: 'billing', wait: true, onPositionLost }
}

/** A subscription with changes that nobody reads, and a client that goes on. */
async function abandoned(database: TestDatabase, queueLimit: QueueLimit): Promise<TestSession> {
  await database.query('CREATE TABLE t (id int PRIMARY KEY, v text); CREATE TABLE u (id int PRIMARY KEY)')
  const gone = await openTestSession({ connection: database.url }, billing())
  await gone.capture('t')
  await gone.close()
  const other = await openTestSession({ connection: database.url, queueLimit })
  await other.capture('u')
  await database.query(`INSERT INTO t SELECT i, 'x' FROM generate_series(1, 150) i`)
  return other
}

/** Has everybody believe that nobody has read it for two minutes, as soon as it has been noticed. */
async function letTimePass(database: TestDatabase): Promise<void> {
  await eventually(async () => {
    const rows = await database.query(
      `UPDATE rowtap.consumer SET gone_since = gone_since - interval '2 minutes' WHERE gone_since IS NOT NULL RETURNING id`,
    )
    return rows.length === 1
  }, 'it is noticed that nobody reads it')
}

function waits({ notices }: TestSession): readonly string[] {
  return notices.flatMap((notice) => (notice.kind === 'wait' ? [notice.reason] : []))
}

describePostgres('what the queue keeps for a subscription that nobody reads', (postgres) => {
  test.each<[string, QueueLimit]>([
    ['changes', { changes: 149 }],
    ['bytes', { bytes: 8192 }],
    ['time', { unreadMs: 1000 }],
  ])('is told of, once, where it is more than the limit (%s), and stays', async (_, limit) => {
    await using database = await postgres.createDatabase()
    await using other = await abandoned(database, limit)
    await letTimePass(database)
    await eventually(() => waits(other).length > 0, 'the notice')
    const [consumer] = (await inspectTrigger({ connection: database.url })).installations[0]?.content?.consumers ?? []
    expect(consumer).toMatchObject({
      subscription: 'billing',
      isAlive: false,
      behind: 150,
      goneSince: expect.any(Date),
      dropped: null,
    })
    await using next = await openTestSession({ connection: database.url }, billing())
    await next.count(150)
    expect(waits(other)).toEqual([
      expect.stringContaining('The change queue waits for the subscription "billing": nobody has read it for'),
    ])
    const back = (await inspectTrigger({ connection: database.url })).installations[0]?.content?.consumers ?? []
    expect(back[0]).toMatchObject({ isAlive: true, goneSince: null })
  })

  test('is let go of where the limit says so, with its triggers, and whoever opens it again hears of it', async () => {
    await using database = await postgres.createDatabase()
    await using other = await abandoned(database, { changes: 100, policy: 'drop' })
    await letTimePass(database)
    await eventually(() => waits(other).length > 0, 'the notice')
    expect(waits(other)).toEqual([expect.stringContaining('Let go of the changes of the subscription "billing"')])
    await eventually(async () => {
      const [row] = await database.query(`SELECT count(*)::int AS n FROM pg_trigger WHERE tgrelid = 't'::regclass`)
      return row?.['n'] === 0
    }, 'the triggers are gone')
    const [consumer] = (await inspectTrigger({ connection: database.url })).installations[0]?.content?.consumers ?? []
    expect(consumer?.dropped).toMatch(
      /let go of its changes of public\.t \(150 of all tables waited\): nobody has read it for/u,
    )

    await using refused = await openTestSession({ connection: database.url }, billing()).catch((error: unknown) => {
      expect(RowtapError.is(error, 'ERR_POSITION_LOST') && error.message).toContain('let go of its changes of public.t')
      return null
    })
    if (refused !== null) {
      await eventually(() => refused.error() !== null, 'the error')
      expect(RowtapError.is(refused.error(), 'ERR_POSITION_LOST')).toBe(true)
    }
    await using anew = await openTestSession({ connection: database.url }, billing('restart'))
    await anew.capture('t')
    await eventually(() => anew.notices.some(({ kind }) => kind === 'gap'), 'the gap')
    await database.query(`INSERT INTO t VALUES (1000, 'new')`)
    await anew.count(1)
    expect(anew.changes.map(({ new: row }) => row?.text(0))).toEqual(['1000'])
  })

  test('stays where the limit is not reached, and where somebody has begun to read it', async () => {
    await using database = await postgres.createDatabase()
    await using other = await abandoned(database, { changes: 150, policy: 'drop' })
    await letTimePass(database)
    await database.query(`UPDATE rowtap.consumer SET gone_since = NULL`)
    await letTimePass(database)
    expect(waits(other)).toEqual([])
    await using next = await openTestSession({ connection: database.url }, billing())
    next.holdBack()
    await next.count(150)
    await database.query(`INSERT INTO t VALUES (1000, 'new'); INSERT INTO u VALUES (1)`)
    await next.count(151)
    await database.query(
      `UPDATE rowtap.consumer SET gone_since = now() - interval '2 minutes' WHERE subscription IS NOT NULL`,
    )
    await eventually(() => other.changes.length > 0, 'the other client goes on')
    expect(next.error()).toBeNull()
    expect(waits(other)).toEqual([])
  })
})
