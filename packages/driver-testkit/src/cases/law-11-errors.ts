import type { ErrorCode, ListenOptions } from '@rowtap/core'
import { RowtapError } from '@rowtap/core'
import assert from 'node:assert/strict'
import type { ConformanceCase } from '../conformance/conformance-case.ts'
import type { ConformanceContext } from '../conformance/conformance-context.ts'
import { eventsSoFar, standardTable } from '../tools/standard-table.ts'

/** Listening is refused with this code and a message like this, and the client goes on. */
async function assertRefused(
  context: ConformanceContext,
  options: ListenOptions,
  code: ErrorCode,
  message: RegExp,
): Promise<void> {
  const { database } = context
  await standardTable(database, 't')
  const client = await context.connect()
  const collector = await context.listen(client, { table: 'public.t' })
  await assert.rejects(context.listen(client, options), (error) => {
    assert.ok(RowtapError.is(error), `not a RowtapError: ${String(error)}`)
    assert.equal(error.code, code, error.message)
    assert.match(error.message, message)
    return true
  })
  await database.query(`INSERT INTO public.t VALUES (1, 'x')`)
  assert.equal((await eventsSoFar(database, collector, 't')).length, 1, 'a refused listener disturbs another one')
}

const unknownTable: ConformanceCase = {
  name: 'an unknown table is refused with ERR_SETUP_REQUIRED and its name, and disturbs nobody',
  law: 11,
  needs: ['operations.insert', 'listeners.attachWhileRunning'],
  run: (context) =>
    assertRefused(context, { table: 'public."No Such Table"' }, 'ERR_SETUP_REQUIRED', /"No Such Table"/u),
}

const notATable: ConformanceCase = {
  name: 'a view, which cannot be captured, is refused with ERR_SETUP_REQUIRED and its name',
  law: 11,
  needs: ['operations.insert', 'listeners.attachWhileRunning'],
  async run(context) {
    await context.database.query('CREATE VIEW public.seen AS SELECT 1 AS id')
    await assertRefused(context, { table: 'public.seen' }, 'ERR_SETUP_REQUIRED', /seen/u)
  },
}

const unknownColumn: ConformanceCase = {
  name: 'an unknown column is refused with ERR_INVALID_OPTIONS and the nearest name',
  law: 11,
  needs: ['operations.insert', 'columns.projection', 'listeners.attachWhileRunning'],
  async run(context) {
    await context.database.query('CREATE TABLE public.wide (id int PRIMARY KEY, status text, total int)')
    await assertRefused(
      context,
      { table: 'public.wide', columns: ['id', 'statsu'] },
      'ERR_INVALID_OPTIONS',
      /statsu.*status/su,
    )
  },
}

const unknownKey: ConformanceCase = {
  name: 'an unknown key column is refused with ERR_INVALID_OPTIONS and the nearest name',
  law: 11,
  needs: ['operations.insert', 'keys.declared', 'listeners.attachWhileRunning'],
  async run(context) {
    await context.database.query('CREATE TABLE public.wide (id int PRIMARY KEY, status text, total int)')
    await assertRefused(context, { table: 'public.wide', key: ['totl'] }, 'ERR_INVALID_OPTIONS', /totl.*total/su)
  },
}

const closed: ConformanceCase = {
  name: 'a closed client refuses with ERR_CLOSED, and can be closed again',
  law: 11,
  needs: [],
  async run(context) {
    await standardTable(context.database, 't')
    const client = await context.connect()
    const { listener } = await context.listen(client, { table: 'public.t' })
    await client.close()
    await client.close()
    await listener.stop()
    assert.throws(
      () => client.listen({ table: 'public.t' }),
      (error) => RowtapError.is(error, 'ERR_CLOSED'),
    )
  },
}

/** Law 11: what goes wrong is said, with what helps. */
export const errorCases: readonly ConformanceCase[] = [unknownTable, notATable, unknownColumn, unknownKey, closed]
