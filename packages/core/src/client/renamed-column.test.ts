import { expect, test } from 'vitest'
import { connect } from '../connect.ts'
import type { Relation } from '../contract/relation.ts'
import type { ListenOptions } from '../listen-options.ts'
import type { RowtapError } from '../rowtap-error.ts'
import { SCRIPTED_CAPABILITIES, ScriptedDriver, textRelation } from '../testing/scripted-driver.ts'
import { until } from '../testing/until.ts'

const before = textRelation('orders', ['id', 'total', 'note'])
const after = textRelation('orders', ['id', 'total_paid', 'note'])

const OPTIONS = [
  ['columns', { columns: ['id', 'total'] }],
  ['key', { key: ['total'] }],
  ['where', { where: { total: '1' } }],
] as const

/** The error that a listener's client ends with when a row comes in a shape, `null`: the row is delivered. */
async function outcomeOf(options: Partial<ListenOptions>, shapes: readonly Relation[]): Promise<RowtapError | null> {
  const driver = new ScriptedDriver(shapes.slice(0, 1), SCRIPTED_CAPABILITIES)
  const client = await connect(driver)
  let outcome: RowtapError | null | undefined
  client.on('error', (error) => (outcome = error))
  const listener = client.listen({ table: 'orders', ...options })
  listener.on('change', () => (outcome = null))
  await listener.ready
  driver.deliver(shapes.slice(1).map((relation) => ({ kind: 'insert', relation, new: ['1', '1', 'a'] })))
  await until(() => outcome !== undefined)
  await client.close()
  return outcome ?? null
}

/** The same columns, with these numbers. */
function numbered(relation: Relation, ...numbers: readonly number[]): Relation {
  const columns = relation.columns.map((column, at) => {
    const number = numbers[at]
    return number === undefined ? column : { ...column, number }
  })
  return { ...relation, columns }
}

test.each(OPTIONS)('so does another column that has been given the name: in %s', async (option, options) => {
  const shapes = [numbered(before, 1, 2, 3), numbered(before, 1, 4, 3)]
  expect(await outcomeOf(options, shapes)).toMatchObject({
    code: 'ERR_SETUP_REQUIRED',
    message: `Table public.orders was altered while a listener's '${option}' names its column "total": another column has that name now (the one before was renamed or dropped). Correct '${option}', and start the listener again.`,
  })
})

test.each(OPTIONS)(
  'a column keeps its listener where it is the same, or not known to be another: %s',
  async (_option, options) => {
    expect(await outcomeOf(options, [numbered(before, 1, 2, 3), numbered(before, 1, 2, 4)])).toBeNull()
    expect(await outcomeOf(options, [numbered(before, 1, 2, 3), before])).toBeNull()
    expect(await outcomeOf(options, [before, numbered(before, 1, 2, 3)])).toBeNull()
  },
)

test.each(OPTIONS)(
  'a column that %s names and that is renamed ends the client with what to do',
  async (option, options) => {
    const driver = new ScriptedDriver([before], SCRIPTED_CAPABILITIES)
    const client = await connect(driver)
    const errors: RowtapError[] = []
    client.on('error', (error) => errors.push(error))
    const listener = client.listen({ table: 'orders', ...options })
    listener.on('change', () => {})
    await listener.ready
    driver.deliver([{ kind: 'insert', relation: after, new: ['1', '2', 'a'] }])
    await until(() => errors.length > 0)
    expect(errors[0]).toMatchObject({
      code: 'ERR_SETUP_REQUIRED',
      message: expect.stringMatching(
        new RegExp(
          `^Table public\\.orders was altered while a listener's '${option}' names its column "total": it is gone.*Correct '${option}'.*start the listener again\\.$`,
          'u',
        ),
      ),
    })
    await client.close()
  },
)
