import type { Client, Driver, ListenOptions, Row } from '@rowtap/core'
import { connect } from '@rowtap/core'
import type { Random, TestDatabase } from '@rowtap/driver-testkit'
import { assertSameRows, eventually, readRows, seededRandom } from '@rowtap/driver-testkit'
import { describePostgres } from '@rowtap/driver-testkit/vitest'
import assert from 'node:assert/strict'
import { test } from 'vitest'
import type { Inserted } from './application.ts'
import { Application } from './application.ts'

const LANES = 3
const ROUNDS = 12
const PATIENCE_MS = 60_000

type Where = NonNullable<ListenOptions['where']>
type Column = keyof Inserted

/** Conditions, and what they mean. */
const CONDITIONS: readonly [Wish, ...Wish[]] = [
  [null, () => true],
  [{ a: 1 }, ({ a }) => a === 1],
  [{ a: null }, ({ a }) => a === null],
  [{ a: { gte: 3 }, b: 'x' }, ({ a, b }) => a !== null && a >= 3 && b === 'x'],
  [{ not: { b: { in: ['x', "it's"] } } }, ({ b }) => !['x', "it's"].includes(b)],
  [{ b: { like: 'i%' } }, ({ b }) => b.startsWith('i')],
]

type Wish = readonly [where: Where | null, isIn: (row: Inserted) => boolean]

const COLUMNS: readonly [readonly Column[], ...(readonly Column[])[]] = [
  ['id'],
  ['id', 'a'],
  ['id', 'b'],
  ['id', 'a', 'b'],
]

/**
 * Describes that an application that alters its tables all the time comes to the same whether or not they are captured, and
 * that the events of listeners that come and go are exact.
 *
 * @param name what its tables are captured with.
 */
export function describePushdown(name: string, create: (database: TestDatabase) => Driver): void {
  describePostgres(`an application whose tables are captured with ${name}`, (postgres) => {
    test(
      'writes and alters as it would without, and its changes are exact, whoever comes and goes',
      { timeout: 4 * PATIENCE_MS },
      async () => {
        await using database = await postgres.createDatabase()
        const application = new Application(database)
        await application.setUp()
        await using client = await connect(create(database))
        const fold = new Map<string, Row>()
        const everything = client.listen({
          table: 'v',
          where: { a: { gte: 2 } },
          columns: ['id', 'a', 'b'],
          transitions: 'idempotent',
        })
        everything.on('change', (event) => {
          const key = String(event.key?.['id'])
          if (event.kind === 'insert' || event.kind === 'update') fold.set(key, event.new)
          else fold.delete(key)
        })
        await everything.ready

        const writing = application.run()
        const failed = writing.then(() => new Promise<never>(() => {}))
        const random = seededRandom(7)
        const lanes = Array.from({ length: LANES }, async () => {
          for (let round = 0; round < ROUNDS; round += 1) await listenFor(client, application, random)
        })
        await Promise.race([Promise.all(lanes), failed])
        application.stop()
        await writing
        assert.ok(application.statements > 500, `${application.statements} statements`)

        await database.query(`INSERT INTO v (id, a, b) VALUES (0, 9, 'last')`)
        await eventually(() => fold.has('0'), 'the last row', { timeoutMs: PATIENCE_MS })
        const rows = await readRows(database, 'SELECT id, a, b FROM v WHERE a >= 2', ['id'])
        assertSameRows(fold, new Map([...rows.values()].map((row) => [String(row['id']), row])), 'a >= 2')
      },
    )
  })
}

/** Listens for a while. Rows that were inserted meanwhile and are in the condition have to come, as they were, and no others. */
async function listenFor(client: Client, application: Application, random: Random): Promise<void> {
  const { inserted } = application
  const [where, isIn] = random.pick(CONDITIONS)
  const columns = random.chance(0.2) ? null : random.pick(COLUMNS)
  const listener = client.listen({
    table: 't',
    operations: ['insert', 'truncate'],
    // The table may have no primary key at the moment.
    key: ['id'],
    ...(where === null ? {} : { where }),
    ...(columns === null ? {} : { columns }),
  })
  const seen = new Map<number, Row>()
  listener.on('insert', (event) => {
    const id = Number(event.key['id'])
    assert.ok(!seen.has(id), `row ${id} comes once`)
    seen.set(id, event.new)
  })
  await listener.ready
  // What was begun before may have been committed before.
  const from = application.lastId
  const wanted = (): readonly Inserted[] => inserted.filter((row) => row.id > from && isIn(row))
  const patience = { timeoutMs: PATIENCE_MS }
  await eventually(() => wanted().length >= 3, 'rows in the condition', patience)
  const rows = wanted()
  await eventually(() => rows.every(({ id }) => seen.has(id)), `rows of ${JSON.stringify(where)}`, patience)
  await listener.stop()
  const known = new Map(inserted.map((row) => [row.id, row]))
  for (const [id, row] of seen) {
    const source = known.get(id)
    if (source === undefined) continue
    assert.ok(isIn(source), `row ${id} is in ${JSON.stringify(where)}`)
    const named = columns ?? ['id', 'a', 'b']
    const only = (values: Row): Row =>
      Object.fromEntries(Object.entries(values).filter(([name]) => named.some((column) => column === name)))
    assert.deepEqual(columns === null ? only(row) : row, only({ ...source }))
  }
}
