import type { Driver } from '@rowtap/core/driver'
import { connect } from '@rowtap/core'
import assert from 'node:assert/strict'
import type { ConformanceCase } from '../conformance/conformance-case.ts'
import { standardTable } from '../tools/standard-table.ts'

const attachAndInsert: ConformanceCase = {
  name: 'ready is honest: what is inserted at once after it arrives, every time',
  law: 2,
  needs: ['operations.insert', 'listeners.attachWhileRunning'],
  timeoutMs: 120_000,
  async run(context) {
    await standardTable(context.database, 't')
    const client = await context.connect()
    for (let round = 1; round <= context.sizes.rounds; round += 1) {
      const collector = await context.listen(client, { table: 'public.t' })
      await context.database.query('INSERT INTO public.t VALUES ($1)', [round])
      await collector.until((event) => event.new?.['id'] === round, `the insert right after ready, in round ${round}`)
      await collector.listener.stop()
    }
  },
}

const connectAndInsert: ConformanceCase = {
  name: 'ready of a new client is honest, and tells of nothing that committed before',
  law: 2,
  needs: ['operations.insert'],
  async run(context) {
    await standardTable(context.database, 't')
    for (let round = 1; round <= 5; round += 1) {
      const client = await context.connect()
      const collector = await context.listen(client, { table: 'public.t' })
      await context.database.query('INSERT INTO public.t VALUES ($1)', [round])
      const [first] = await collector.count(1, `the insert right after ready, in round ${round}`)
      assert.equal(first?.new?.['id'], round, 'the first event is the first change after ready')
      await client.close()
    }
  },
}

const olderTransaction: ConformanceCase = {
  name: 'a transaction that wrote before ready and commits after it is delivered, or ready waits for it and says so',
  law: 2,
  needs: ['operations.insert'],
  async run(context) {
    const { database } = context
    await standardTable(database, 't')
    await standardTable(database, 'other')
    const client = await context.connect()
    const waitedFor = new Set<number>()
    client.on('wait', ({ processIds }) => {
      for (const processId of processIds) waitedFor.add(processId)
    })
    // So that the older transaction is not older than the client's own start.
    await context.listen(client, { table: 'public.other' })

    const older = await database.connect()
    await older.query('BEGIN')
    await older.query(`INSERT INTO public.t VALUES (1, 'older')`)
    const { rows } = await older.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')
    const pid = rows[0]?.pid ?? 0

    let live = false
    const listening = context.listen(client, { table: 'public.t' }).then((collector) => {
      live = true
      return collector
    })
    await context.eventually(
      () => live || waitedFor.has(pid),
      `ready, or a notice that names the process waited for (${pid})`,
    )
    const wasLive = live
    await older.query('COMMIT')
    const collector = await listening
    if (wasLive)
      await collector.until(
        (event) => event.new?.['id'] === 1,
        'the change of the transaction that committed after ready',
      )
    await database.query('INSERT INTO public.t VALUES (2)')
    await collector.until((event) => event.new?.['id'] === 2, 'the insert after ready')
  },
}

const connectBesideOpenTransaction: ConformanceCase = {
  name: 'a client that connects while a transaction is open becomes live beside it, or says that it waits for it',
  law: 2,
  needs: ['operations.insert'],
  async run(context) {
    const { database, driver } = context
    await standardTable(database, 't')
    const older = await database.connect()
    await older.query(`BEGIN; INSERT INTO public.t VALUES (1, 'older')`)
    const { rows } = await older.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')
    const pid = rows[0]?.pid ?? 0

    // While it connects there is no client yet that could be asked: the driver itself is listened to.
    let waiting = false
    const overheard: Driver = {
      specification: driver.specification,
      name: driver.name,
      capabilities: driver.capabilities,
      open: (host) =>
        driver.open({
          subscription: host.subscription,
          signal: host.signal,
          planOnly: host.planOnly,
          messages: host.messages,
          notify(notice) {
            waiting ||= notice.kind === 'wait' && notice.processIds.includes(pid)
            host.notify(notice)
          },
        }),
    }
    let live = false
    const listening = connect(overheard).then(async (client) => {
      const listener = client.listen({ table: 'public.t' })
      const inserted = new Promise<void>((resolve) => {
        listener.on('insert', (event) => (event.new['id'] === 2 ? resolve() : undefined))
      })
      await listener.ready
      live = true
      return { client, inserted }
    })
    try {
      await context.eventually(() => live || waiting, `ready, or a notice that names the process waited for (${pid})`)
    } finally {
      await older.query('COMMIT')
    }
    const { client, inserted } = await listening
    await database.query('INSERT INTO public.t VALUES (2)')
    await inserted
    await client.close()
  },
}

/** Law 2: after `ready`, nothing is lost. */
export const readyCases: readonly ConformanceCase[] = [
  attachAndInsert,
  connectAndInsert,
  olderTransaction,
  connectBesideOpenTransaction,
]
