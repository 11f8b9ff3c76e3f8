import assert from 'node:assert/strict'
import type { ConformanceCase } from '../conformance/conformance-case.ts'
import type { ConformanceContext } from '../conformance/conformance-context.ts'
import type { TestDatabase } from '../postgres/test-database.ts'
import type { CatalogueSnapshotOptions } from '../tools/catalogue-snapshot.ts'
import { catalogueSnapshot } from '../tools/catalogue-snapshot.ts'
import { cutConnections } from '../tools/cut-connections.ts'
import { standardTable } from '../tools/standard-table.ts'

/** Where a driver may keep what it needs while a client runs. */
const OWN_SCHEMA = 'rowtap'

async function useAndClose(context: ConformanceContext): Promise<void> {
  const client = await context.connect()
  const a = await context.listen(client, { table: 'public.a' })
  const b = await context.listen(client, { table: 'public.b' })
  await context.database.query(
    'INSERT INTO public.a VALUES (1); INSERT INTO public.b VALUES (1); DELETE FROM public.a; DELETE FROM public.b',
  )
  await a.count(1, 'a change')
  await b.count(1, 'a change')
  await client.close()
}

/** Fails where the database is not as it was, and names the first things that differ. */
async function assertUnchanged(
  database: TestDatabase,
  before: readonly string[],
  what: string,
  options: CatalogueSnapshotOptions = {},
): Promise<void> {
  const after = await catalogueSnapshot(database, options)
  const added = after.filter((object) => !before.includes(object)).map((object) => `+ ${object}`)
  const removed = before.filter((object) => !after.includes(object)).map((object) => `- ${object}`)
  const all = [...added, ...removed]
  const shown = all.slice(0, SHOWN).join(', ')
  assert.equal(all.length, 0, `${what}: ${shown}${all.length > SHOWN ? `, and ${all.length - SHOWN} more` : ''}`)
}

const SHOWN = 8

const leavesNothing: ConformanceCase = {
  name: 'after close nothing is left in the database: no slot, publication, trigger or function, no replica identity changed',
  law: 9,
  needs: ['operations.insert'],
  async run(context) {
    const { database } = context
    await standardTable(database, 'a')
    await standardTable(database, 'b', 'ALTER TABLE public.b REPLICA IDENTITY FULL')
    const before = await catalogueSnapshot(database)
    await useAndClose(context)
    await assertUnchanged(database, before, 'left behind or altered')
  },
}

const disconnects: ConformanceCase = {
  name: 'after close no connection is left, also when listeners were refused or still being attached',
  law: 9,
  needs: ['operations.insert'],
  async run(context) {
    const { database } = context
    await standardTable(database, 'a')
    const client = await context.connect()
    await assert.rejects(context.listen(client, { table: 'public.missing' }))
    await context.listen(client, { table: 'public.a' })
    const attaching = client.listen({ table: 'public.a' })
    attaching.ready.catch(() => undefined)
    await client.close()
    await context.eventually(async () => {
      const rows = await database.query(
        `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name <> 'rowtap-testkit' AND backend_type IN ('client backend', 'walsender')`,
      )
      return rows.length === 0
    }, 'the driver’s connections end')
  },
}

const stopTakesAway: ConformanceCase = {
  name: 'a table whose last listener stopped is as it was before, while the client goes on',
  law: 9,
  needs: ['operations.insert', 'listeners.attachWhileRunning'],
  async run(context) {
    const { database } = context
    await standardTable(database, 'a')
    await standardTable(database, 'b')
    const client = await context.connect()
    const kept = await context.listen(client, { table: 'public.a' })
    const before = await catalogueSnapshot(database, { exceptSchema: OWN_SCHEMA })
    const one = await context.listen(client, { table: 'public.b' })
    const other = await context.listen(client, { table: 'public.b' })
    await one.listener.stop()
    await database.query('INSERT INTO public.b VALUES (1)')
    await other.count(1, 'an insert, for the listener that is left')
    await other.listener.stop()
    await assertUnchanged(database, before, 'left behind at the table', { exceptSchema: OWN_SCHEMA })
    await database.query('INSERT INTO public.a VALUES (1)')
    await kept.count(1, 'an insert on the table that is still captured')
  },
}

const crash: ConformanceCase = {
  name: 'what a client that crashed left behind is gone when the next one has come and gone',
  law: 9,
  needs: ['operations.insert'],
  async run(context) {
    const { database } = context
    await standardTable(database, 'a')
    await standardTable(database, 'b')
    const before = await catalogueSnapshot(database)
    const crashing = await context.connect({}, 'mayFail')
    const failed = new Promise<void>((resolve) => crashing.on('error', () => resolve()))
    await context.listen(crashing, { table: 'public.a' })
    // To the database a crash and a cut of every connection are the same.
    await cutConnections(database)
    if (!context.declares('delivery.reconnect')) await failed
    await crashing.close().catch(() => undefined)
    await database.query('INSERT INTO public.a VALUES (1); DELETE FROM public.a')
    await useAndClose(context)
    await assertUnchanged(database, before, 'left behind by the client that crashed')
  },
}

/** Law 9: what is ephemeral is gone after close. */
export const objectCases: readonly ConformanceCase[] = [leavesNothing, disconnects, stopTakesAway, crash]
