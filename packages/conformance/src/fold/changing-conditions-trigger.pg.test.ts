import type { ChangeEvent, Row } from '@rowtap/core'
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
import { expect, test } from 'vitest'

const LISTENERS = 12
const TRANSACTIONS = 150
const PATIENCE_MS = 60_000
const LAST_ID = 1_000_000

/** Columns that listeners name. */
const COLUMNS: readonly [readonly string[], ...(readonly string[])[]] = [
  ['id'],
  ['id', 'owner'],
  ['id', 'balance', 'note'],
  ['id', 'owner', 'balance', 'note', 'changed_at'],
]
const OPERATIONS: readonly [readonly RowOperation[], ...(readonly RowOperation[])[]] = [
  ['insert'],
  ['update', 'delete'],
  ['insert', 'update', 'delete'],
]

type RowOperation = 'insert' | 'update' | 'delete'

interface Heard {
  readonly isWanted: (row: Row) => boolean
  /** The columns that are listened to. */
  readonly only: (row: Row) => Row
  /** The rows after it was live: what was committed between the two is in its events, too. */
  readonly start: readonly Row[]
  readonly events: ChangeEvent[]
}

describePostgres('listeners whose conditions and columns are left to the trigger', (postgres) => {
  test('miss nothing when they come and go while others write', { timeout: 4 * PATIENCE_MS }, async () => {
    await using database = await postgres.createDatabase()
    await createWorkloadTable(database, 'DEFAULT')
    await using client = await connect(triggerDriver({ connection: database.url, pushdown: 'conditions' }))
    const random = seededRandom(postgres.version)
    const heard: Heard[] = []
    // Keeps the table captured, for next to nothing.
    const last = client.listen({
      table: WORKLOAD_TABLE,
      operations: ['insert'],
      columns: ['id'],
      where: { id: LAST_ID },
    })
    let isOver = false
    last.on('insert', () => {
      isOver = true
    })
    await last.ready
    let writing = true
    const written = runWorkload({ database, seed: 1, transactions: TRANSACTIONS, truncate: false }).finally(() => {
      writing = false
    })
    for (let count = 0; count < LISTENERS || writing; count += 1) {
      const [from, to] = [random.integer(60), 3 + random.integer(60)]
      const columns = random.pick(COLUMNS)
      const only = (row: Row): Row => Object.fromEntries(columns.map((name) => [name, row[name]]))
      const passing = client.listen({
        table: WORKLOAD_TABLE,
        operations: random.pick(OPERATIONS),
        columns: random.pick(COLUMNS),
        where: { id: { gte: to, lt: to + 5 } },
      })
      passing.on('change', () => {})
      const listener = client.listen({
        table: WORKLOAD_TABLE,
        columns,
        where: { id: { gte: from, lt: from + to } },
      })
      const events: ChangeEvent[] = []
      listener.on('change', (event) => void events.push(event))
      await Promise.all([passing.ready, listener.ready])
      const start = [...(await readTable(database, WORKLOAD_TABLE)).values()]
      const isWanted = ({ id }: Row): boolean => Number(id) >= from && Number(id) < from + to
      if (heard.length < LISTENERS) heard.push({ isWanted, only, start: start.filter(isWanted).map(only), events })
      else await listener.stop({ discard: true })
      await passing.stop({ discard: true })
    }
    expect((await written).committed).toBeGreaterThan(0)
    await database.query(`INSERT INTO ${WORKLOAD_TABLE} (id) VALUES ($1)`, [LAST_ID])
    await eventually(() => isOver, 'the last row', { timeoutMs: PATIENCE_MS })
    assert.deepEqual(await client.close({ timeoutMs: PATIENCE_MS }), { unfinished: 0 })
    const rows = await readTable(database, WORKLOAD_TABLE)
    for (const [index, { isWanted, only, start, events }] of heard.entries()) {
      const wanted = new Map([...rows].filter(([, row]) => isWanted(row)).map(([key, row]) => [key, only(row)]))
      assertSameRows(fold(events, { start, strict: false }), wanted, `the fold of listener ${index}`)
    }
  })
})
