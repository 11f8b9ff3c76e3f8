import assert from 'node:assert/strict'
import type { ConformanceCase } from '../conformance/conformance-case.ts'
import { eventsSoFar, standardTable } from '../tools/standard-table.ts'

const attached: ConformanceCase = {
  name: 'a captured table can be attached to another captured table as its partition, detached, and attached again',
  law: 9,
  needs: ['operations.insert'],
  async run(context) {
    const { database } = context
    await database.query('CREATE TABLE public.r (id int PRIMARY KEY, v text) PARTITION BY RANGE (id)')
    await standardTable(database, 'm')
    const client = await context.connect()
    const root = await context.listen(client, { table: 'public.r' })
    await context.listen(client, { table: 'public.m' })
    const attach = 'ALTER TABLE public.r ATTACH PARTITION public.m FOR VALUES FROM (-10000000) TO (10)'
    await assert.doesNotReject(async () => {
      await database.query(attach)
      await database.query('ALTER TABLE public.r DETACH PARTITION public.m')
      await database.query(attach)
      await database.query(`INSERT INTO public.r VALUES (1, 'a')`)
    }, 'capturing makes the user’s statement fail')
    const events = await eventsSoFar(database, root, 'r')
    assert.deepEqual(
      events.map(({ key }) => key?.['id']),
      [1],
      'lost or duplicated: the insert, for the listener of the partitioned table',
    )
  },
}

const serializable: ConformanceCase = {
  name: 'SERIALIZABLE transactions that write different rows do not fail after the table was altered',
  law: 9,
  needs: ['operations.insert'],
  async run(context) {
    const { database } = context
    await standardTable(database, 't')
    const collector = await context.listen(await context.connect(), { table: 'public.t' })
    const [one, other] = await Promise.all([database.connect(), database.connect()])
    await database.query('ALTER TABLE public.t ADD n int')
    await assert.doesNotReject(async () => {
      for (const writer of [one, other]) await writer.query('BEGIN ISOLATION LEVEL SERIALIZABLE')
      await one.query(`INSERT INTO public.t VALUES (1, 'a', 1)`)
      await other.query(`INSERT INTO public.t VALUES (2, 'b', 2)`)
      await one.query(`INSERT INTO public.t VALUES (3, 'a', 3)`)
      await other.query(`INSERT INTO public.t VALUES (4, 'b', 4)`)
      await one.query('COMMIT')
      await other.query('COMMIT')
    }, 'capturing makes the user’s transaction fail')
    assert.equal((await eventsSoFar(database, collector, 't')).length, 4)
  },
}

/** Whoever writes to a table, and then asks for a lock on it that nobody else may have, one by one. */
const GREATER_LOCKS: Readonly<Record<string, readonly string[]>> = {
  truncated: ['TRUNCATE public.truncated'],
  altered: [
    `ALTER TABLE public.altered ALTER COLUMN v SET DEFAULT 'x'`,
    'ALTER TABLE public.altered ALTER COLUMN v DROP DEFAULT',
  ],
}

const greaterLocks: ConformanceCase = {
  name: 'transactions that write to a table, and then empty or alter it, do not fail while listeners come and go',
  law: 9,
  needs: ['operations.insert', 'listeners.attachWhileRunning'],
  timeoutMs: 120_000,
  async run(context) {
    const { database, sizes } = context
    const tables = Object.keys(GREATER_LOCKS)
    for (const table of ['kept', ...tables]) await standardTable(database, table)
    const client = await context.connect()
    await context.listen(client, { table: 'public.kept' })
    let over = false
    let written = 0
    let ending = 0
    const failures: string[] = []
    const write = async (table: string, statements: readonly string[], settings: string): Promise<void> => {
      const writer = await database.connect()
      await writer.query(settings)
      for (let turn = 0; !over; turn += 1) {
        const statement = statements[turn % statements.length] ?? ''
        written += 1
        try {
          await writer.query('BEGIN')
          await writer.query(`INSERT INTO public.${table} (id) VALUES ($1)`, [written])
          await writer.query('SELECT pg_sleep(0.002)')
          await writer.query(statement)
          await writer.query('COMMIT')
        } catch (error) {
          failures.push(`${statement}: ${String(error)}`)
          await writer.query('ROLLBACK')
        }
        // A listener that comes needs a moment without a writer; one that goes is to meet as many as there can be.
        await writer.query(`SELECT pg_sleep(${ending > 0 ? 0.002 : 0.03})`)
      }
    }
    const listen = async (table: string): Promise<void> => {
      for (let round = 1; round <= Math.ceil(sizes.rounds / 70); round += 1) {
        const collector = await context.listen(client, { table: `public.${table}`, operations: ['insert'] })
        await collector.count(1, `an insert, in round ${round}`)
        ending += 1
        await collector.listener.stop()
        ending -= 1
      }
    }
    for (const settings of ['', `SET deadlock_timeout = '10ms'`]) {
      over = false
      const writers = Object.entries(GREATER_LOCKS).map(([table, statements]) => write(table, statements, settings))
      try {
        await Promise.all(tables.map(listen))
      } finally {
        over = true
        await Promise.all(writers)
      }
    }
    assert.deepEqual(failures.slice(0, 3), [], 'capturing makes the user’s transaction fail')
  },
}

/** Law 9: what is captured can be altered, and written to, as before. */
export const alteredTableCases: readonly ConformanceCase[] = [attached, serializable, greaterLocks]
