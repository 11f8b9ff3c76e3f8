import type { ChangeEvent, Client, Row } from '@rowtap/core'
import { connect } from '@rowtap/core'
import {
  assertSameRows,
  createWorkloadTable,
  eventually,
  fold,
  readTable,
  runWorkload,
  seededRandom,
  WORKLOAD_TABLE,
} from '@rowtap/driver-testkit'
import { describePostgres } from '@rowtap/driver-testkit/vitest'
import { triggerDriver } from '@rowtap/driver-trigger'
import assert from 'node:assert/strict'
import { test } from 'vitest'

const TRANSACTIONS = 150
const MOST_RUNS = 8
const PATIENCE_MS = 60_000
const LAST_ID = 1_000_000

/** What the subscription's two listeners want, in each of its runs. */
const WISHES = [
  { where: { id: { lt: 30 } }, columns: ['id', 'owner', 'balance'], isWanted: (id: number) => id < 30 },
  { where: { id: { gte: 50 } }, columns: ['id', 'note'], isWanted: (id: number) => id >= 50 },
]

describePostgres('a subscription whose conditions and columns are left to the trigger', (postgres) => {
  test(
    'misses nothing while its process is away, whatever others want meanwhile',
    { timeout: 4 * PATIENCE_MS },
    async () => {
      await using database = await postgres.createDatabase()
      await createWorkloadTable(database, 'DEFAULT')
      const driver = triggerDriver({ connection: database.url, pushdown: 'conditions' })
      const random = seededRandom(postgres.version)
      const events: ChangeEvent[][] = WISHES.map(() => [])
      const gaps: string[] = []
      let isOver = false
      const run = async (): Promise<Client> => {
        const client = await connect(driver, { subscription: 'folds' })
        client.on('gap', ({ reason }) => void gaps.push(reason))
        for (const [index, { where, columns }] of WISHES.entries()) {
          const listener = client.listen({ table: WORKLOAD_TABLE, where, columns })
          listener.on('change', (event) => {
            events[index]?.push(event)
            if (event.key?.['id'] === LAST_ID) isOver = true
          })
          await listener.ready
        }
        return client
      }
      await (await run()).close()
      let writing = true
      const written = runWorkload({ database, seed: 2, transactions: TRANSACTIONS, truncate: false }).finally(() => {
        writing = false
      })
      await using passing = await connect(driver)
      for (let count = 0; writing && count < MOST_RUNS; count += 1) {
        const from = random.integer(60)
        const other = passing.listen({
          table: WORKLOAD_TABLE,
          columns: random.pick([['id'], ['id', 'changed_at'], ['id', 'owner', 'note']]),
          where: { id: { gte: from, lt: from + 5 } },
        })
        other.on('change', () => {})
        await other.ready
        const client = await run()
        const before = events[0]?.length ?? 0
        if (writing) await eventually(() => !writing || (events[0]?.length ?? 0) > before, 'some events')
        assert.deepEqual(await client.close({ timeoutMs: PATIENCE_MS }), { unfinished: 0 })
        await other.stop()
      }
      assert.ok((await written).committed > 0)
      await database.query(`INSERT INTO ${WORKLOAD_TABLE} (id) VALUES ($1)`, [LAST_ID])
      const last = await run()
      await eventually(() => isOver, 'the last row', { timeoutMs: PATIENCE_MS })
      assert.deepEqual(await last.close({ timeoutMs: PATIENCE_MS }), { unfinished: 0 })
      assert.deepEqual(gaps, [])
      const rows = await readTable(database, WORKLOAD_TABLE)
      for (const [index, { isWanted, columns }] of WISHES.entries()) {
        const only = (row: Row): Row => Object.fromEntries(columns.map((name) => [name, row[name]]))
        const wanted = [...rows]
          .filter(([, row]) => isWanted(Number(row['id'])))
          .map(([key, row]) => [key, only(row)] as const)
        // What was not acknowledged when a process ended comes again.
        assertSameRows(fold(events[index] ?? [], { strict: false }), new Map(wanted), `the fold of listener ${index}`)
      }
    },
  )
})
