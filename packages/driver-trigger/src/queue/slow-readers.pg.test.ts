import type { Change, DriverNotice, DurableSubscription, Position } from '@rowtap/core/driver'
import { parseTableName } from '@rowtap/core/driver'
import type { TestDatabase } from '@rowtap/driver-testkit'
import { eventually } from '@rowtap/driver-testkit'
import { describePostgres } from '@rowtap/driver-testkit/vitest'
import { expect, test } from 'vitest'
import { openConnection } from '../connection/connection.ts'
import { triggerDriver } from '../trigger-driver.ts'
import { resolveTriggerOptions } from '../trigger-options.ts'
import type { QueueLimit } from '../trigger-options.ts'
import { queueLimit } from './queue-limit.ts'

interface SlowReader extends AsyncDisposable {
  readonly notices: readonly DriverNotice[]
  /** Reads one batch more. */
  read(): Promise<readonly Change[]>
}

/** A client that reads nothing but when it is told to, and acknowledges nothing. */
async function slowReader(database: TestDatabase, subscription: DurableSubscription | null): Promise<SlowReader> {
  const notices: DriverNotice[] = []
  const session = await triggerDriver({ connection: database.url }).open({
    subscription,
    signal: new AbortController().signal,
    planOnly: false,
    messages: false,
    notify: (notice) => notices.push(notice),
  })
  await session.capture([
    { table: parseTableName('t'), operations: new Set(['insert']), columns: null, comparedEnums: new Set() },
  ])
  const batches = session.batches()[Symbol.asyncIterator]()
  return {
    notices,
    read: async () => {
      const next = await batches.next()
      return next.done === true ? [] : next.value.changes
    },
    [Symbol.asyncDispose]: () => session.close(),
  }
}

interface Watch extends AsyncDisposable {
  readonly told: readonly string[]
  /** Looks when so many more seconds have passed. */
  after(seconds: number): Promise<boolean>
}

/** Another session's watch over the queue, whose clock is ours. */
async function watch(database: TestDatabase, limit: QueueLimit): Promise<Watch> {
  const { queueLimit: resolved, ...options } = resolveTriggerOptions({ connection: database.url, queueLimit: limit })
  const connection = await openConnection(options, new AbortController().signal)
  await database.query(
    'INSERT INTO rowtap.consumer (place, process_id, lease_until) SELECT pg_current_snapshot(), 0, now()',
  )
  const [own] = await database.query('SELECT max(id)::text AS id FROM rowtap.consumer')
  const told: string[] = []
  let now = 0
  const look = queueLimit({
    connection,
    consumer: String(own?.['id']),
    limit: resolved,
    notify: (notice) => void (notice.kind === 'wait' && told.push(notice.reason)),
    now: () => now,
  })
  return {
    told,
    after: async (seconds) => {
      now += seconds * 1000
      return await look()
    },
    [Symbol.asyncDispose]: () => connection.close(),
  }
}

const KINDS = [
  ['a subscription', { name: 'billing', wait: true, onPositionLost: 'restart' }],
  ['a client without a subscription', null],
] as const

function gapOf({ notices }: SlowReader): { readonly from: Position | null; readonly to: Position | null } | undefined {
  return notices.find((notice) => notice.kind === 'gap')
}

describePostgres('a client that reads, and is too slow', (postgres) => {
  test.each(KINDS)(
    'loses the changes of %s where the limit says so, after a minute, and hears of it',
    async (_, who) => {
      await using database = await postgres.createDatabase()
      await database.query('CREATE TABLE t (id int PRIMARY KEY)')
      await using slow = await slowReader(database, who)
      await database.query('INSERT INTO t SELECT generate_series(1, 5)')
      const before = await slow.read()
      await database.query('INSERT INTO t SELECT generate_series(6, 200)')
      await using other = await watch(database, { changes: 150, policy: 'drop' })
      expect([await other.after(0), await other.after(10), await other.after(40)]).toEqual([false, false, false])
      expect(await other.after(20)).toBe(true)
      expect(other.told).toEqual([
        expect.stringContaining('it is too slow: for 70 s more than 150 changes wait for it'),
      ])
      // What was read ahead is still delivered.
      const changes = [...before]
      const reading = (async (): Promise<void> => {
        for (let batch = await slow.read(); batch.length > 0; batch = await slow.read()) changes.push(...batch)
      })()
      await eventually(async () => {
        await database.query('INSERT INTO t SELECT greatest(max(id), 1000) + 1 FROM t')
        return Number(changes.at(-1)?.new?.text(0)) > 1000
      }, 'what is written after the gap')
      const gap = gapOf(slow)
      expect(gap).toMatchObject({
        reason: expect.stringContaining('let go of its changes of public.t (200 of all tables'),
      })
      const [last, first] = [
        changes.findLast(({ position }) => position <= (gap?.from ?? '')),
        changes.find(({ position }) => position > (gap?.from ?? '')),
      ]
      expect(gap?.from).toBe(last?.position)
      expect(String(gap?.to) > String(gap?.from)).toBe(true)
      expect(Number(first?.new?.text(0))).toBeGreaterThan(1000)
      await slow[Symbol.asyncDispose]()
      await reading
    },
  )

  test('is told of, once, where the limit lets it keep its changes', async () => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE t (id int PRIMARY KEY)')
    await using slow = await slowReader(database, KINDS[0][1])
    await database.query('INSERT INTO t SELECT generate_series(1, 200)')
    await using other = await watch(database, { bytes: 8192, unreadMs: 1000 })
    for (const seconds of [0, 30, 40, 40, 40]) expect(await other.after(seconds)).toBe(false)
    expect(other.told).toEqual([
      expect.stringMatching(
        /^The change queue waits for the subscription "billing": it has handled nothing for 70 s\.$/u,
      ),
    ])
    expect(await slow.read()).toHaveLength(200)
    expect(gapOf(slow)).toBeUndefined()
  })

  test('is left alone where it comes further, or is not far enough behind', async () => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE t (id int PRIMARY KEY)')
    await using slow = await slowReader(database, KINDS[0][1])
    await database.query('INSERT INTO t SELECT generate_series(1, 100)')
    await using other = await watch(database, { changes: 100, unreadMs: 60_000, policy: 'drop' })
    for (let look = 0; look < 5; look += 1) {
      // As if it had handled something meanwhile.
      await database.query(
        `UPDATE rowtap.consumer SET place = ('1:' || (3 + $1::int) || ':')::pg_snapshot WHERE subscription IS NOT NULL`,
        [look],
      )
      expect(await other.after(50)).toBe(false)
    }
    expect(other.told).toEqual([])
    expect(await slow.read()).toHaveLength(100)
    expect(gapOf(slow)).toBeUndefined()
  })
})
