import assert from 'node:assert/strict'
import { connect, formatPlan, plan } from '@rowtap/core'
import type { ConformanceCase } from '../conformance/conformance-case.ts'
import type { ConformanceContext } from '../conformance/conformance-context.ts'
import { catalogueSnapshot } from '../tools/catalogue-snapshot.ts'
import { assertExecutedAsPlanned } from '../tools/executed-as-planned.ts'
import { standardTable } from '../tools/standard-table.ts'
import { recordStatements } from '../tools/statement-recorder.ts'
import { tcpProxy } from '../tools/tcp-proxy.ts'

/** What a listener needs to be live on a table: that it is captured is seen in the plan, by its name. */
const TABLES = ['planned_a', 'planned_b'] as const

const changesNothing: ConformanceCase = {
  name: 'a plan made before connecting shows statements for every table, and executes none of them',
  law: 9,
  needs: ['operations.insert'],
  async run({ database, driver }) {
    for (const table of TABLES) await standardTable(database, table)
    const before = await catalogueSnapshot(database)
    const planned = await plan(
      driver,
      TABLES.map((table) => ({ table })),
    )
    assert.deepEqual(await catalogueSnapshot(database), before, 'the plan changed the database')
    assert.deepEqual(
      planned.listeners.map(({ table }) => table.name),
      TABLES,
    )
    for (const table of TABLES) {
      const shown = planned.statements.some(({ sql }) => sql.includes(table))
      assert.ok(shown, `no statement names ${table}:\n${formatPlan(planned)}`)
    }
  },
}

const disconnects: ConformanceCase = {
  name: 'after a plan made before connecting no connection is left, also when it was refused',
  law: 9,
  needs: ['operations.insert'],
  async run(context) {
    const { database, driver } = context
    await standardTable(database, TABLES[0])
    await plan(driver, [{ table: TABLES[0] }])
    await assert.rejects(plan(driver, [{ table: 'public.missing' }]), { code: 'ERR_SETUP_REQUIRED' })
    await othersEnd(context, 'the connections of the plan end')
  },
}

const capturesAsPlanned: ConformanceCase = {
  name: 'a client’s plan leaves the database as it is, and nothing of it is left to do once its listener is live',
  law: 9,
  needs: ['operations.insert', 'listeners.attachWhileRunning'],
  async run(context) {
    const { database } = context
    for (const table of TABLES) await standardTable(database, table)
    const [first, second] = TABLES
    const client = await context.connect()
    await context.listen(client, { table: `public.${first}` })
    const before = await catalogueSnapshot(database)
    const planned = await client.plan([{ table: `public.${second}` }])
    assert.deepEqual(await catalogueSnapshot(database), before, 'the plan changed the database')
    assert.deepEqual(
      planned.listeners.map(({ table, isAttached }) => [table.name, isAttached]),
      [
        [first, true],
        [second, false],
      ],
    )
    assert.ok(
      planned.statements.some(({ sql }) => sql.includes(second)),
      `no statement names ${second}:\n${formatPlan(planned)}`,
    )

    const collector = await context.listen(client, { table: `public.${second}` })
    assert.deepEqual((await client.plan()).statements, [], 'with both listeners live, there is nothing left to execute')
    await database.query(`INSERT INTO public.${second} VALUES (1)`)
    await collector.count(1, 'the insert after ready')
  },
}

const executesThePlan: ConformanceCase = {
  name: 'a plan holds every statement that connecting and listening then execute, transactions and what a crashed client left included',
  law: 9,
  needs: ['operations.insert'],
  async run(context) {
    const { database } = context
    const [table] = TABLES
    for (const one of TABLES) await standardTable(database, one)
    const proxy = await tcpProxy(database.url)
    const crashing = await context.connectTo(proxy.url, { on: { error: () => {} } }, 'mayFail')
    for (const one of TABLES) await context.listen(crashing, { table: one })
    // To the database a crash, and the end of a network without which a client cannot come back, are the same.
    await proxy[Symbol.asyncDispose]()
    await othersEnd(context, 'the connections of the crashed client end')

    await using recorder = await recordStatements(database)
    const driver = context.createDriver(recorder.url)
    const planned = await plan(driver, [{ table }])
    recorder.take()
    await using client = await connect(driver)
    await context.listen(client, { table })
    assertExecutedAsPlanned(planned, recorder.take())
  },
}

async function othersEnd(context: ConformanceContext, what: string): Promise<void> {
  await context.eventually(async () => (await context.database.query(OTHERS)).length === 0, what)
}

const OTHERS = `
  SELECT pid FROM pg_stat_activity
  WHERE datname = current_database() AND application_name <> 'rowtap-testkit' AND backend_type IN ('client backend', 'walsender')`

/** Law 9: a plan shows every statement before it runs. */
export const planCases: readonly ConformanceCase[] = [changesNothing, disconnects, capturesAsPlanned, executesThePlan]
