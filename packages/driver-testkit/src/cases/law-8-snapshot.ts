import type { CapabilityName } from '@rowtap/core'
import assert from 'node:assert/strict'
import { setTimeout as pause } from 'node:timers/promises'
import type { ConformanceCase } from '../conformance/conformance-case.ts'
import type { TestDatabase } from '../postgres/test-database.ts'
import { fold } from '../tools/fold.ts'
import { assertSameRows, readTable } from '../tools/read-table.ts'
import { collectSnapshot } from '../tools/snapshot-collector.ts'
import { standardTable } from '../tools/standard-table.ts'
import { tcpProxy } from '../tools/tcp-proxy.ts'

const NEEDS: readonly CapabilityName[] = [
  'snapshot.initial',
  'delivery.subscription',
  'operations.insert',
  'operations.update',
  'operations.delete',
]
const ROWS = 20_000
const LAST_ID = 1_000_000
const LISTENER = { table: 'public.t', bufferBytes: 40_000 }
const MAY_FAIL = { error: () => undefined }

const once: ConformanceCase = {
  name: 'a snapshot that was done does not come again, and one with another definition does',
  law: 8,
  needs: [...NEEDS, 'columns.projection'],
  async run(context) {
    const { database } = context
    await standardTable(database, 't', `INSERT INTO public.t SELECT i, 'old' FROM generate_series(1, 100) i`)
    const first = await context.connect({ subscription: 'snapshot' })
    await collectSnapshot(first, LISTENER).listener.snapshotDone
    await first.close()
    await database.query(`UPDATE public.t SET v = 'new' WHERE id <= 3`)

    const second = await context.connect({ subscription: 'snapshot' })
    const again = collectSnapshot(second, LISTENER)
    await again.listener.snapshotDone
    await again.count(3, 'the changes since')
    await second.close()
    assert.deepEqual(
      again.delivered.map(({ kind }) => kind),
      ['update', 'update', 'update'],
    )

    const third = await context.connect({ subscription: 'snapshot' })
    const other = collectSnapshot(third, { ...LISTENER, columns: ['id'] })
    await other.listener.snapshotDone
    assert.equal(other.delivered.length, 100, 'the rows of a listener that wants something else')
    await third.close()
  },
}

const resumed: ConformanceCase = {
  name: 'a snapshot goes on where it was, after a close and after a crash, and the rows and changes of all lives fold to the table',
  law: 8,
  needs: NEEDS,
  timeoutMs: 120_000,
  async run(context) {
    const { database } = context
    await standardTable(
      database,
      't',
      `INSERT INTO public.t SELECT i, repeat('x', 50) FROM generate_series(1, ${ROWS}) i`,
    )
    const closing = await context.connect({ subscription: 'snapshot' })
    const first = collectSnapshot(closing, LISTENER)
    await first.count(ROWS / 4, 'a quarter of the rows')
    await change(database, 0)
    await closing.close()
    await change(database, 3)

    const proxy = await tcpProxy(database.url)
    const crashing = await context.connectTo(proxy.url, { subscription: 'snapshot', on: MAY_FAIL }, 'mayFail')
    const second = collectSnapshot(crashing, LISTENER)
    await second.count(ROWS / 4, 'a quarter more')
    await change(database, 6)
    await proxy[Symbol.asyncDispose]()
    await change(database, 9)

    const client = await context.connect({ subscription: 'snapshot' })
    const third = collectSnapshot(client, LISTENER)
    await third.listener.snapshotDone
    await database.query('INSERT INTO public.t VALUES ($1)', [LAST_ID])
    await third.until((event) => event.key?.['id'] === LAST_ID, 'the last row')
    const lives = [first, second, third].map(({ delivered }) => delivered)
    // What was delivered and not acknowledged comes again, and so do ends that may have been told.
    assertSameRows(
      fold(lives.flat(), { strict: false }),
      await readTable(database, 'public.t'),
      'the fold of all lives',
    )
    for (const [life, events] of lives.entries()) {
      const read = events.filter(({ kind }) => kind === 'snapshot').map(({ key }) => Number(key?.['id']))
      const least = Math.min(...read.filter((id) => id <= ROWS))
      assert.ok(life === 0 || least > ROWS / 8, `life ${life} began with row ${least} again`)
    }
  },
}

const slow: ConformanceCase = {
  name: 'a snapshot whose rows take long is not begun anew by every program that does not last',
  law: 8,
  needs: NEEDS,
  async run(context) {
    const { database } = context
    await standardTable(database, 't', `INSERT INTO public.t SELECT i, 'old' FROM generate_series(1, 3000) i`)
    for (const least of [1, 101]) {
      const client = await context.connect({ subscription: 'snapshot' })
      const ids: number[] = []
      const listener = client.listen({ table: 'public.t', snapshot: 'initial', concurrency: 1 })
      listener.on('change', async ({ key }) => {
        ids.push(Number(key?.['id']))
        await pause(4)
      })
      await context.eventually(() => ids.length >= 300, 'some rows')
      await client.close()
      assert.ok(Math.min(...ids) >= least, `began with row ${Math.min(...ids)}`)
    }
  },
}

const letGo: ConformanceCase = {
  name: 'a snapshot that was done does not hold any more once nobody wanted its table',
  law: 8,
  needs: NEEDS,
  async run(context) {
    const { database } = context
    await standardTable(database, 't', `INSERT INTO public.t SELECT i, 'old' FROM generate_series(1, 100) i`)
    const first = await context.connect({ subscription: 'snapshot' })
    await collectSnapshot(first, LISTENER).listener.snapshotDone
    await first.close()

    const second = await context.connect({ subscription: 'snapshot' })
    const other = second.listen({ table: 'public.t' })
    other.on('change', () => undefined)
    await other.ready
    await other.stop({ discard: true })
    await database.query(`INSERT INTO public.t VALUES (101, 'missed')`)
    const again = collectSnapshot(second, LISTENER)
    await again.listener.snapshotDone
    assertSameRows(fold(again.delivered), await readTable(database, 'public.t'), 'the rows that are read again')
    await second.close()
  },
}

/** Changes rows everywhere in the table, some of them differently each time. */
async function change(database: TestDatabase, digit: number): Promise<void> {
  await database.query(`
    UPDATE public.t SET v = 'changed ${digit}' WHERE id % 20 = ${digit};
    DELETE FROM public.t WHERE id % 20 = ${digit + 1};
    UPDATE public.t SET id = id + 50000 + ${digit} WHERE id % 20 = ${digit + 2} AND id <= ${ROWS}`)
}

/** Law 8: what was read is not read again. */
export const durableSnapshotCases: readonly ConformanceCase[] = [once, resumed, slow, letGo]
