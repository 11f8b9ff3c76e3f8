import assert from 'node:assert/strict'
import type { ConformanceCase } from '../conformance/conformance-case.ts'
import { eventsSoFar, standardTable } from '../tools/standard-table.ts'

const large: ConformanceCase = {
  name: 'a row of 1 MB is delivered whole, and does not make the statement fail',
  law: 2,
  needs: ['operations.insert'],
  async run(context) {
    const { database } = context
    await standardTable(database, 't')
    const collector = await context.listen(await context.connect(), { table: 'public.t' })
    const value = Array.from({ length: 32_768 }, (_, index) => `${index}:äöü"'\\,`.padEnd(32, '.')).join('')
    await database.query('INSERT INTO public.t VALUES (1, $1)', [value])
    const [event] = await eventsSoFar(database, collector, 't')
    assert.ok(event?.new?.['v'] === value, 'the value of 1 MB arrives unchanged')
  },
}

const big: ConformanceCase = {
  name: 'one transaction of very many rows is delivered whole and in order',
  law: 2,
  needs: ['operations.insert'],
  timeoutMs: 120_000,
  async run(context) {
    const { database, sizes } = context
    await standardTable(database, 't')
    const collector = await context.listen(await context.connect(), { table: 'public.t' })
    await database.query(`INSERT INTO public.t SELECT i, 'row ' || i FROM generate_series(1, $1::int) i`, [
      sizes.bigTransactionRows,
    ])
    const events = await collector.count(sizes.bigTransactionRows, 'the rows of the big transaction')
    const wrong = events.findIndex(
      (event, index) => event.new?.['id'] !== index + 1 || event.new['v'] !== `row ${index + 1}`,
    )
    assert.equal(wrong, -1, `event ${wrong} is not row ${wrong + 1}`)
    assert.equal(new Set(events.map((event) => event.transaction.id)).size, 1, 'they are of one transaction')
  },
}

/** Law 2: what is large is not lost either. */
export const volumeCases: readonly ConformanceCase[] = [large, big]
