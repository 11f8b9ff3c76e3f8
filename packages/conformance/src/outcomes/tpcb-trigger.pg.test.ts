import type { ChangeEvent, Row } from '@rowtap/core'
import { connect } from '@rowtap/core'
import { assertSameRows, eventually, fold, readTable } from '@rowtap/driver-testkit'
import { describePostgres } from '@rowtap/driver-testkit/vitest'
import { triggerDriver } from '@rowtap/driver-trigger'
import { expect, test } from 'vitest'
import { runTpcb, TPCB_TABLES } from './tpcb.ts'

const CLIENTS = 8
const TRANSACTIONS = 150
const PATIENCE_MS = 60_000
const BALANCES = { pgbench_branches: 'bid', pgbench_tellers: 'tid', pgbench_accounts: 'aid' } as const

describePostgres('the workload of pgbench on tables that driver-trigger captures', (postgres) => {
  test('succeeds, and its events add up to its tables', { timeout: 3 * PATIENCE_MS }, async () => {
    await using database = await postgres.createDatabase()
    await database.query(TPCB_TABLES)
    await using client = await connect(triggerDriver({ connection: database.url }))
    const history: Row[] = []
    const histories = client.listen({ table: 'public.pgbench_history' })
    histories.on('insert', (event) => void history.push(event.new))
    const heard = []
    for (const [name, key] of Object.entries(BALANCES)) {
      const events: ChangeEvent[] = []
      const listener = client.listen({ table: `public.${name}` })
      listener.on('change', (event) => void events.push(event))
      await listener.ready
      heard.push({
        table: `public.${name}`,
        key: [key],
        events,
        start: [...(await readTable(database, `public.${name}`, [key])).values()],
      })
    }
    await histories.ready
    await runTpcb(database, CLIENTS, TRANSACTIONS, 1)
    const expected = CLIENTS * TRANSACTIONS
    await eventually(() => history.length >= expected, 'the history', { timeoutMs: PATIENCE_MS })
    expect(await client.close({ timeoutMs: PATIENCE_MS })).toEqual({ unfinished: 0 })

    const byText = (rows: readonly object[]): string[] => rows.map((row) => JSON.stringify(row)).toSorted()
    expect(byText(history)).toEqual(byText(await database.query('SELECT * FROM pgbench_history')))
    const sums = []
    for (const { table, key, events, start } of heard) {
      expect(events).toHaveLength(expected)
      const rows = fold(events, { start, key })
      assertSameRows(rows, await readTable(database, table, key), `the fold of ${table}`)
      sums.push([...rows.values()].reduce((sum, row) => sum + balanceOf(row), 0))
    }
    expect(new Set(sums)).toEqual(new Set([history.reduce((sum, row) => sum + Number(row['delta']), 0)]))
  })
})

function balanceOf(row: Row): number {
  return Number(row['bbalance'] ?? row['tbalance'] ?? row['abalance'])
}
