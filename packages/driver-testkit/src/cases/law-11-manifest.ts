import { capabilityNames } from '@rowtap/core'
import assert from 'node:assert/strict'
import type { ConformanceCase } from '../conformance/conformance-case.ts'
import { eventsSoFar, standardTable } from '../tools/standard-table.ts'

function assertFrozen(value: unknown, what: string): void {
  if (typeof value !== 'object' || value === null) return
  assert.ok(Object.isFrozen(value), `${what} is not frozen`)
  for (const [name, inner] of Object.entries(value)) assertFrozen(inner, `${what}.${name}`)
}

const manifest: ConformanceCase = {
  name: 'the manifest is frozen, has every cell and no other, and is the driver’s',
  law: 11,
  needs: [],
  run(context) {
    const { capabilities, name, specification } = context.driver
    assert.equal(specification, 1)
    assert.equal(capabilities.driver, name, 'the manifest names another driver')
    assertFrozen(capabilities, 'the manifest')
    const cells = Object.entries<unknown>({ ...capabilities }).flatMap(([group, value]) =>
      typeof value === 'object' && value !== null
        ? Object.entries<unknown>({ ...value }).map(([cell, where]) => ({ name: `${group}.${cell}`, where }))
        : [],
    )
    assert.deepEqual(cells.map((cell) => cell.name).toSorted(), capabilityNames().toSorted(), 'the manifest’s cells')
    for (const { name: cell, where } of cells) {
      assert.ok(
        where === false || where === 'database' || where === 'process',
        `${cell} is ${String(where)}, which is no answer`,
      )
    }
    return Promise.resolve()
  },
}

const operations: ConformanceCase = {
  name: 'the operations that the manifest promises are delivered, and those that it denies are not',
  law: 11,
  needs: ['operations.insert'],
  async run(context) {
    const { database } = context
    await standardTable(database, 't')
    const collector = await context.listen(await context.connect(), { table: 'public.t' })
    await database.query(`INSERT INTO public.t VALUES (1, 'a'), (2, 'b')`)
    await database.query(`UPDATE public.t SET v = 'c' WHERE id = 1`)
    await database.query('DELETE FROM public.t WHERE id = 1')
    await database.query('TRUNCATE public.t')
    const events = await eventsSoFar(database, collector, 't')
    const { operations: promised } = context.driver.capabilities
    const expected = (['insert', 'update', 'delete', 'truncate'] as const).filter(
      (operation) => promised[operation] !== false,
    )
    assert.deepEqual(
      [...new Set(events.map((event) => event.kind))],
      expected,
      'the manifest does not say what the driver does',
    )
  },
}

const oldRows: ConformanceCase = {
  name: 'old rows are as whole as the manifest says',
  law: 11,
  needs: ['operations.insert', 'operations.update', 'operations.delete', 'rows.old'],
  proves: ['rows.oldWithoutSetup'],
  async run(context) {
    const { database } = context
    const client = await context.connect()
    for (const identity of ['FULL', 'DEFAULT'] as const) {
      const name = identity.toLowerCase() + '_identity'
      await standardTable(database, name, `ALTER TABLE public.${name} REPLICA IDENTITY ${identity}`)
      const collector = await context.listen(client, { table: `public.${name}` })
      await database.query(
        `INSERT INTO public.${name} VALUES (1, 'a'); UPDATE public.${name} SET v = 'b'; DELETE FROM public.${name}`,
      )
      const [, update, deletion] = await collector.count(3, 'an insert, an update and a delete')
      const whole = identity === 'FULL' || context.declares('rows.oldWithoutSetup')
      const actual = {
        old: update?.old,
        changed: update?.changed,
        deleted: deletion?.old,
        unavailable: deletion?.unavailable,
      }
      const expected = whole
        ? { old: { id: 1, v: 'a' }, changed: ['v'], deleted: { id: 1, v: 'b' }, unavailable: [] }
        : { old: null, changed: null, deleted: { id: 1 }, unavailable: ['v'] }
      assert.deepEqual(actual, expected, `old rows with replica identity ${identity.toLowerCase()}`)
    }
  },
}

const acknowledgement: ConformanceCase = {
  name: 'a change is acknowledged after its handler has finished, and not before',
  law: 11,
  needs: ['operations.insert', 'delivery.acknowledgement'],
  async run(context) {
    const { database } = context
    await standardTable(database, 't')
    const client = await context.connect()
    const listener = client.listen({ table: 'public.t' })
    const started = Promise.withResolvers<string>()
    const finish = Promise.withResolvers<void>()
    listener.on('insert', async (event) => {
      started.resolve(event.position)
      await finish.promise
    })
    await listener.ready
    await database.query('INSERT INTO public.t VALUES (1)')
    const position = await started.promise
    assert.ok(client.acknowledged === null || client.acknowledged < position, 'acknowledged while its handler runs')
    finish.resolve()
    await context.eventually(
      () => client.acknowledged !== null && client.acknowledged >= position,
      'the acknowledgement of a handled change',
    )
  },
}

/** Law 11: the manifest holds. */
export const manifestCases: readonly ConformanceCase[] = [manifest, operations, oldRows, acknowledgement]
