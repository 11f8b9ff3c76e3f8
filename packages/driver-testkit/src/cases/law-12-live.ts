import { RowtapError } from '@rowtap/core'
import assert from 'node:assert/strict'
import type { ConformanceCase } from '../conformance/conformance-case.ts'
import { standardTable } from '../tools/standard-table.ts'

const NEEDS = ['operations.insert', 'listeners.attachWhileRunning'] as const

const underLoad: ConformanceCase = {
  name: 'listeners that come and go, on the same table and on others, make another one miss and repeat nothing',
  law: 12,
  needs: NEEDS,
  timeoutMs: 120_000,
  async run(context) {
    const { database, sizes } = context
    await standardTable(database, 'busy')
    const client = await context.connect()
    const steady = await context.listen(client, { table: 'public.busy' })

    let coming = true
    let written = 0
    const writers = Promise.all(
      [0, 1].map(async () => {
        const writer = await database.connect()
        while (coming) {
          written += 1
          await writer.query('INSERT INTO public.busy VALUES ($1)', [written])
        }
      }),
    )
    const rounds = Math.ceil(sizes.rounds / 10)
    try {
      for (let round = 1; round <= rounds; round += 1) {
        const table = `round_${round}`
        await standardTable(database, table)
        const fresh = await context.listen(client, { table: `public.${table}` })
        const same = await context.listen(client, { table: 'public.busy' })
        await database.query(`INSERT INTO public.${table} VALUES (1)`)
        const first = written + 1
        await fresh.count(1, `the insert right after ready on a new table, in round ${round}`)
        await same.until(
          (event) => Number(event.key?.['id']) >= first,
          `an insert after ready on the busy table, in round ${round}`,
        )
        await same.listener.stop()
        await fresh.listener.stop()
      }
    } finally {
      coming = false
      await writers
    }
    await steady.count(written, 'every insert')
    const ids = steady.events.map((event) => Number(event.key?.['id'])).toSorted((one, other) => one - other)
    const wrong = ids.findIndex((id, index) => id !== index + 1)
    assert.equal(wrong, -1, `lost or repeated around row ${wrong + 1} of ${written}`)
  },
}

const secondListener: ConformanceCase = {
  name: 'a second listener on a table that is already captured sees what commits after its ready, and nothing before',
  law: 12,
  needs: NEEDS,
  async run(context) {
    const { database } = context
    await standardTable(database, 't')
    const client = await context.connect()
    const first = await context.listen(client, { table: 'public.t' })
    for (let round = 1; round <= 20; round += 1) {
      await database.query('INSERT INTO public.t VALUES ($1)', [round * 2])
      const second = await context.listen(client, { table: 'public.t' })
      await database.query('INSERT INTO public.t VALUES ($1)', [round * 2 + 1])
      const [event] = await second.count(1, `the insert right after ready, in round ${round}`)
      assert.equal(event?.key?.['id'], round * 2 + 1, 'a change that committed before the call was delivered')
      await second.listener.stop()
    }
    await first.count(40, 'every insert')
  },
}

const slowListener: ConformanceCase = {
  name: 'a listener whose handler is stuck does not lose another one’s events, and stop of one leaves the others',
  law: 12,
  needs: NEEDS,
  async run(context) {
    const { database } = context
    await standardTable(database, 't')
    const client = await context.connect()
    const stuck = client.listen({ table: 'public.t' })
    const release = Promise.withResolvers<void>()
    stuck.on('change', () => release.promise)
    await stuck.ready
    const collector = await context.listen(client, { table: 'public.t' })
    await database.query('INSERT INTO public.t SELECT generate_series(1, 100)')
    await collector.count(100, 'the events beside a listener that is stuck')
    release.resolve()
    await stuck.stop()
    await database.query('INSERT INTO public.t VALUES (101)')
    await collector.count(101, 'the event after the other listener stopped')
  },
}

const unreadable: ConformanceCase = {
  name: 'a listener whose rows cannot be read any more ends by itself, and says why',
  law: 12,
  needs: ['snapshot.initial', 'operations.insert'],
  async run(context) {
    const { database } = context
    await standardTable(database, 't', `INSERT INTO public.t SELECT i, repeat('x', 50) FROM generate_series(1, 1000) i`)
    await standardTable(database, 'other')
    const client = await context.connect()
    const collector = await context.listen(client, { table: 'public.other' })
    const reading = client.listen({ table: 'public.t', snapshot: 'initial', bufferBytes: 1000 })
    const ended = reading.snapshotDone.then(
      () => null,
      (error: unknown) => error,
    )
    const release = Promise.withResolvers<void>()
    let rows = 0
    reading.on('snapshot', async () => {
      rows += 1
      await release.promise
    })
    await context.eventually(() => rows > 0, 'the first row')
    await database.query('ALTER TABLE public.t ALTER COLUMN id TYPE bigint')
    release.resolve()
    const error = await ended
    assert.ok(RowtapError.is(error, 'ERR_SETUP_REQUIRED'), `the reading ended with ${String(error)}`)
    await database.query('INSERT INTO public.other VALUES (1)')
    await collector.count(1, 'the insert beside a listener that has failed')
  },
}

const manyAtOnce: ConformanceCase = {
  name: 'many listeners that are attached at the same time all become live',
  law: 12,
  needs: NEEDS,
  async run(context) {
    const { database } = context
    const client = await context.connect()
    const tables = Array.from({ length: 10 }, (_, index) => `t${index}`)
    for (const table of tables) await standardTable(database, table)
    const collectors = await Promise.all(
      tables.flatMap((table) => [table, table]).map((table) => context.listen(client, { table: `public.${table}` })),
    )
    for (const table of tables) await database.query(`INSERT INTO public.${table} VALUES (1)`)
    await Promise.all(collectors.map((collector, index) => collector.count(1, `the insert, for listener ${index}`)))
    for (const [index, collector] of collectors.entries())
      assert.equal(collector.events.length, 1, `listener ${index} has the insert once`)
  },
}

const twoClients: ConformanceCase = {
  name: 'two clients on one database do not disturb each other, and one may close while the other runs',
  law: 12,
  needs: ['operations.insert'],
  async run(context) {
    const { database } = context
    await standardTable(database, 't')
    const one = await context.connect()
    const other = await context.connect()
    const ofOne = await context.listen(one, { table: 'public.t' })
    const ofOther = await context.listen(other, { table: 'public.t' })
    await database.query('INSERT INTO public.t VALUES (1)')
    await ofOne.count(1, 'the first insert, for the first client')
    await ofOther.count(1, 'the first insert, for the second client')
    await one.close()
    await database.query('INSERT INTO public.t VALUES (2)')
    await ofOther.count(2, 'the second insert, for the client that is left')
    assert.equal(ofOne.events.length, 1, 'a closed client delivers nothing')
  },
}

/** Law 12: live. */
export const liveCases: readonly ConformanceCase[] = [
  underLoad,
  secondListener,
  slowListener,
  unreadable,
  manyAtOnce,
  twoClients,
]
