import { expect, test } from 'vitest'
import type { ColumnType, EnumType } from '../conditions/column-type.ts'
import { connect } from '../connect.ts'
import type { Relation } from '../contract/relation.ts'
import type { ChangeEvent } from '../event.ts'
import type { ListenOptions } from '../listen-options.ts'
import type { RowtapError } from '../rowtap-error.ts'
import { SCRIPTED_CAPABILITIES, ScriptedDriver, TEXT, textRelation } from '../testing/scripted-driver.ts'
import { until } from '../testing/until.ts'

const LEVEL: EnumType = {
  kind: 'enum',
  castName: '"public"."level"',
  displayName: 'level',
  labels: ['low', 'high'],
  labelIds: ['1', '2'],
}
const LIST: ColumnType = { kind: 'array', castName: '"public"."_level"', displayName: 'level[]', element: LEVEL }

/** A table with a column of this type, and one of text. */
function tasks(type: ColumnType): Relation {
  const bare = textRelation('tasks', ['id', 'level', 'note'])
  return { ...bare, columns: bare.columns.map((column) => (column.name === 'level' ? { ...column, type } : column)) }
}

/** The keys that a listener with this condition on the first relation hears of, when the same row comes in each relation. */
async function heard(
  where: NonNullable<ListenOptions['where']>,
  relations: readonly Relation[],
  values: readonly (string | null)[],
) {
  const driver = new ScriptedDriver(relations.slice(0, 1), SCRIPTED_CAPABILITIES)
  const client = await connect(driver)
  const errors: RowtapError[] = []
  client.on('error', (error) => errors.push(error))
  const events: ChangeEvent[] = []
  const listener = client.listen({ table: 'tasks', where })
  listener.on('change', (event) => void events.push(event))
  await listener.ready
  const delivered = relations.map((relation, at) =>
    driver.deliver([{ kind: 'insert', relation, new: [String(at), ...values] }]),
  )
  const last = delivered.at(-1)?.at(-1)?.position
  await until(() => errors.length > 0 || client.acknowledged === last)
  await client.close()
  return { keys: events.map(({ key }) => key?.['id']), errors }
}

const more: EnumType = { ...LEVEL, labels: ['low', 'middle', 'high'], labelIds: ['1', '3', '2'] }
const renamed: EnumType = { ...LEVEL, labels: ['high', 'low'] }
const localText: ColumnType = { ...TEXT, collation: { name: 'de-x-icu', order: 'locale', asciiCase: false } }

test('a condition goes on where labels were added, in shapes from before and after that', async () => {
  const shapes = [tasks(LEVEL), tasks(more), tasks(LEVEL)]
  expect(await heard({ level: { gte: 'high' } }, shapes, ['high', 'n'])).toEqual({ keys: ['0', '1', '2'], errors: [] })
  expect(await heard({ level: { lt: 'high' } }, shapes.toReversed(), ['low', 'n'])).toMatchObject({ errors: [] })
  expect(await heard({ level: { gte: 'middle' } }, [tasks(more), tasks(more)], ['middle', 'n'])).toMatchObject({
    keys: ['0', '1'],
  })
})

test('a condition ends with its client where labels were given other names', async () => {
  const { keys, errors } = await heard({ level: 'high' }, [tasks(LEVEL), tasks(renamed)], ['high', 'n'])
  expect(keys).toEqual(['0'])
  expect(errors.map(({ code }) => code)).toEqual(['ERR_SETUP_REQUIRED'])
  expect(errors[0]?.message).toBe(
    `Table public.tasks was altered while a listener's 'where' names its column "level": the labels of its type level were given other names. Correct 'where' if need be, and start the listener again.`,
  )
})

test.each([
  ['is', { level: 'high' }, 'older'],
  ['is, and was when the type was read', { level: 'older' }, 'older'],
  ['is not', { level: { neq: 'high' } }, 'older'],
  ['is one of many', { or: [{ note: 'm' }, { level: { in: ['a', 'b', 'c', 'high'] } }] }, 'older'],
  ['is none of some', { not: { level: { in: ['low'] } } }, 'older'],
  ['is after', { level: { gt: 'low' } }, 'older'],
])(
  'a row from before a label had its name ends the client where a condition compares it: it %s',
  async (_how, where, value) => {
    const { keys, errors } = await heard(where, [tasks(LEVEL), tasks(LEVEL)], [value, 'n'])
    expect(keys).toEqual([])
    expect(errors[0]).toMatchObject({
      code: 'ERR_DECODE',
      message: expect.stringMatching(
        /^The label "older" is not one that the type level had when it was last read.*Start the listener again/u,
      ) as unknown,
    })
  },
)

test('so does a list that holds such a label', async () => {
  const shapes = [tasks(LIST), tasks(LIST)]
  expect(await heard({ level: ['low', 'high'] }, shapes, ['{low,high}', 'n'])).toMatchObject({ keys: ['0', '1'] })
  const { keys, errors } = await heard({ level: ['low'] }, shapes, ['{low,older}', 'n'])
  expect([keys, errors.map(({ code }) => code)]).toEqual([[], ['ERR_DECODE']])
})

test('rows without a condition on such a label are delivered in order, also by a key that it is', async () => {
  const driver = new ScriptedDriver([tasks(LEVEL)], SCRIPTED_CAPABILITIES)
  await using client = await connect(driver)
  const listener = client.listen({ table: 'tasks', key: ['level'], concurrency: 2, where: { note: 'n' } })
  const keys: unknown[] = []
  listener.on('change', ({ key }) => void keys.push(key?.['level']))
  await listener.ready
  driver.deliver([{ kind: 'insert', new: ['1', 'older', 'n'] }])
  await until(() => keys.length > 0)
  expect(keys).toEqual(['older'])
})

test('a condition on other columns does not end with them', async () => {
  expect(await heard({ note: 'n' }, [tasks(LEVEL), tasks(renamed)], ['high', 'n'])).toEqual({
    keys: ['0', '1'],
    errors: [],
  })
})

test('a condition on text ends where it cannot be evaluated under another collation, and says why', async () => {
  const shapes = [tasks(TEXT), tasks(localText)]
  expect(await heard({ level: 'b' }, shapes, ['b', 'n'])).toEqual({ keys: ['0', '1'], errors: [] })
  const { keys, errors } = await heard({ level: { gte: 'a' } }, shapes, ['b', 'n'])
  expect(keys).toEqual(['0'])
  expect(errors[0]?.code).toBe('ERR_SETUP_REQUIRED')
  expect(errors[0]?.message).toMatch(/was altered .*"level".*collation de-x-icu/u)
})

test('the driver is told which enumerations are compared, as long as they are', async () => {
  const driver = new ScriptedDriver([tasks(LIST)], SCRIPTED_CAPABILITIES)
  await using client = await connect(driver)
  const compared = (): readonly string[] => [...(driver.captured.at(-1)?.[0]?.comparedEnums ?? [])]
  const all = client.listen({ table: 'tasks', where: { note: 'n' } })
  await all.ready
  expect(compared()).toEqual([])
  const some = client.listen({ table: 'tasks', columns: ['id'], where: { level: ['low'] } })
  await some.ready
  expect(compared()).toEqual(['level'])
  await some.stop()
  expect(compared()).toEqual([])
})
