import { describe, expect, test } from 'vitest'
import { connect, listen } from '../connect.ts'
import type { ChangeEvent } from '../event.ts'
import { RowtapError } from '../rowtap-error.ts'
import type { ScriptedChange } from '../testing/scripted-driver.ts'
import { SCRIPTED_CAPABILITIES, ScriptedDriver, TEXT, textRelation } from '../testing/scripted-driver.ts'
import { until } from '../testing/until.ts'

const orders = textRelation('orders', ['id', 'status', 'note'])
const statement = 'ALTER TABLE public.bare REPLICA IDENTITY FULL'
/** Gives only the key of old rows; no value of it is ever left out of an update. */
const bare = textRelation('bare', ['id', 'status'], { oldColumns: [0], oldRowsStatement: statement })
const small = {
  ...bare,
  name: 'small',
  columns: bare.columns.map((column) => ({ ...column, mayBeUnavailable: false })),
}

function scripted(): ScriptedDriver {
  return new ScriptedDriver([orders, bare, small], SCRIPTED_CAPABILITIES)
}

async function rejection(promise: PromiseLike<unknown>): Promise<RowtapError> {
  try {
    await promise
  } catch (error) {
    if (RowtapError.is(error)) return error
    throw error
  }
  throw new Error('expected a rejection')
}

/** What a listener with these options hears of some changes, as texts. */
async function heard(options: object, changes: readonly ScriptedChange[]): Promise<readonly string[]> {
  const driver = scripted()
  await using client = await connect(driver)
  const listener = client.listen({ table: 'orders', ...options })
  const events: ChangeEvent[] = []
  listener.on('change', (event) => void events.push(event))
  await listener.ready
  const delivered = driver.deliver(changes)
  await until(() => client.acknowledged === delivered.at(-1)?.position)
  return events.map(({ kind, key, derivedFrom }) =>
    `${kind} ${JSON.stringify(key?.['id'] ?? '-')} ${derivedFrom ?? ''}`.replaceAll('"', '').trim(),
  )
}

const CHANGES: readonly ScriptedChange[] = [
  { kind: 'insert', new: ['1', 'paid', 'a'] },
  { kind: 'insert', new: ['2', 'open', 'a'] },
  { kind: 'insert', new: ['3', null, 'a'] },
  { kind: 'update', old: ['2', 'open', 'a'], new: ['2', 'paid', 'a'] },
  { kind: 'update', old: ['1', 'paid', 'a'], new: ['1', 'open', 'a'] },
  { kind: 'update', old: ['3', null, 'a'], new: ['3', 'open', 'a'] },
  { kind: 'update', old: ['2', 'paid', 'a'], new: ['2', 'paid', 'b'] },
  { kind: 'delete', old: ['1', 'open', 'a'] },
  { kind: 'delete', old: ['2', 'paid', 'b'] },
  { kind: 'truncate' },
]

describe('a listener with a condition', () => {
  test('hears of what enters it, is changed in it and leaves it', async () => {
    const events = ['insert 1', 'insert 2 update', 'delete 1 update', 'update 2', 'delete 2', 'truncate -']
    expect(await heard({ where: { status: 'paid' } }, CHANGES)).toEqual(events)
    expect(await heard({ where: { status: { in: ['paid', 'x'] } } }, CHANGES)).toEqual(events)
    expect(await heard({ where: { status: { gte: 'p', lt: 'q' } } }, CHANGES)).toEqual(events)
    expect(await heard({ where: { status: { like: 'p%' } } }, CHANGES)).toEqual(events)
  })

  test('and of what its operations say that the statements did', async () => {
    const where = { status: 'paid' }
    expect(await heard({ where, operations: ['insert'] }, CHANGES)).toEqual(['insert 1'])
    expect(await heard({ where, operations: ['update'] }, CHANGES)).toEqual([
      'insert 2 update',
      'delete 1 update',
      'update 2',
    ])
  })

  test('takes a tree, and something that becomes a condition', async () => {
    const tree = { kind: 'null', column: 'status', negated: false } as const
    expect(await heard({ where: tree, operations: ['insert'] }, CHANGES)).toEqual(['insert 3'])
    const source = { toCondition: () => Promise.resolve(tree) }
    expect(await heard({ where: source, operations: ['insert'] }, CHANGES)).toEqual(['insert 3'])
  })

  test('compares with what PostgreSQL makes of its constants, which it asks for before it captures', async () => {
    const driver = scripted()
    const asked: string[] = []
    driver.onNormalise = (constants) => {
      expect(driver.captured).toEqual([])
      asked.push(...constants.map(({ text }) => text))
      return Promise.resolve(constants.map(() => ({ text: 'paid' })))
    }
    const name = { ...TEXT, castName: '"pg_catalog"."name"', name: 'name' }
    const named = { ...orders, columns: orders.columns.map((column) => ({ ...column, type: name })) }
    Object.assign(driver, { relations: [named] })
    await using client = await connect(driver)
    const listener = client.listen({ table: 'orders', where: { status: 'PAID' } })
    const events: string[] = []
    listener.on('insert', (event) => void events.push(event.id))
    await listener.ready
    driver.deliver([{ kind: 'insert', relation: named, new: ['1', 'paid', 'a'] }])
    await until(() => events.length === 1)
    expect(asked).toEqual(['PAID'])
  })

  test('has the columns of its condition captured', async () => {
    const driver = scripted()
    await using client = await connect(driver)
    await client.listen({ table: 'orders', columns: ['note'], where: { status: 'paid' } }).ready
    expect([...(driver.captured[0]?.[0]?.columns ?? [])]).toEqual(['note', 'id', 'status'])
  })

  test('is found again when others come and go', async () => {
    const driver = scripted()
    await using client = await connect(driver)
    const seen: string[] = []
    const attach = async (status: string): Promise<() => Promise<void>> => {
      const listener = client.listen({ table: 'orders', where: { status } })
      listener.on('change', (event) => void seen.push(`${status} ${event.id}`))
      await listener.ready
      return async () => void (await listener.stop())
    }
    const stopA = await attach('a')
    await attach('b')
    await attach('a')
    await stopA()
    const last = driver.deliver([
      { kind: 'insert', new: ['1', 'a', ''] },
      { kind: 'insert', new: ['2', 'b', ''] },
    ])
    await until(() => client.acknowledged === last.at(-1)?.position)
    expect(seen.toSorted()).toEqual(['a c1', 'b c2'])
  })
})

describe('rows that several listeners want', () => {
  test('are decoded once, and are the own of each', async () => {
    let parsed = 0
    const columns = orders.columns.map((column) => ({
      ...column,
      parse: (text: string) => {
        parsed += 1
        return text
      },
    }))
    const counted = { ...orders, columns }
    const driver = new ScriptedDriver([counted], SCRIPTED_CAPABILITIES)
    await using client = await connect(driver)
    const seen: unknown[] = []
    for (let n = 0; n < 3; n++) {
      const listener = client.listen({ table: 'orders' })
      listener.on('insert', (event) => {
        seen.push({ ...event.new }, { ...event.key })
        event.new['status'] = 'spoilt'
        Object.assign(event.key, { id: 'spoilt' })
      })
      await listener.ready
    }
    driver.deliver([{ kind: 'insert', new: ['1', 'paid', 'a'] }])
    await until(() => seen.length === 6)
    const row = { id: '1', status: 'paid', note: 'a' }
    expect(seen).toEqual([row, { id: '1' }, row, { id: '1' }, row, { id: '1' }])
    // The key's values are the row's.
    expect(parsed).toBe(3)
  })
})

describe('refused when it is attached, before anything is captured', () => {
  test.each([
    ['an unknown column', { table: 'orders', where: { state: 'x' } }, 'ERR_INVALID_OPTIONS', 'no column "state"'],
    [
      'an operator that the type lacks',
      { table: 'orders', where: { kind: 'boolean', column: 'status', test: 'value' } },
      'ERR_INVALID_OPTIONS',
      'boolean',
    ],
    [
      'a value that may be left out of an update',
      { table: 'bare', where: { status: 'x' }, transitions: 'idempotent' },
      'ERR_SETUP_REQUIRED',
      statement,
    ],
    ['old rows that are not to be had', { table: 'small', where: { status: 'x' } }, 'ERR_SETUP_REQUIRED', statement],
    [
      'a source that is no condition',
      {
        table: 'orders',
        where: { toCondition: () => Promise.reject(new RowtapError('ERR_INVALID_OPTIONS', { message: 'not SQL' })) },
      },
      'ERR_INVALID_OPTIONS',
      'not SQL',
    ],
  ])('%s', async (_name, options, code, message) => {
    const driver = scripted()
    await using client = await connect(driver)
    const error = await rejection(client.listen(options as never).ready)
    expect([error.code, error.message]).toEqual([code, expect.stringContaining(message)])
    expect(driver.captured).toEqual([])
  })

  test.each([
    ['old rows, with idempotent transitions', { table: 'small', where: { status: 'x' }, transitions: 'idempotent' }],
    ['old rows, of inserts', { table: 'bare', where: { status: 'x' }, operations: ['insert', 'truncate'] }],
    ['old rows, of the key', { table: 'bare', where: { id: 'x' } }],
  ])('and not: %s', async (_name, options) => {
    const driver = scripted()
    await using client = await connect(driver)
    await client.listen(options as never).ready
    expect(driver.captured).toHaveLength(1)
  })

  test('a constant that PostgreSQL cannot read', async () => {
    const driver = scripted()
    const type = { ...TEXT, name: 'int4', castName: '"pg_catalog"."int4"', displayName: 'integer', collation: null }
    const typed = { ...orders, columns: orders.columns.map((column) => ({ ...column, type })) }
    Object.assign(driver, { relations: [typed] })
    driver.onNormalise = (constants) => Promise.resolve(constants.map(() => ({ error: 'invalid input syntax' })))
    await using client = await connect(driver)
    const error = await rejection(client.listen({ table: 'orders', where: { id: 'many' } }).ready)
    expect([error.code, error.message]).toEqual([
      'ERR_INVALID_OPTIONS',
      expect.stringContaining('invalid input syntax'),
    ])
    expect(driver.captured).toEqual([])
  })
})

describe('refused before the database is touched', () => {
  const capabilities = {
    ...SCRIPTED_CAPABILITIES,
    conditions: { ...SCRIPTED_CAPABILITIES.conditions, or: false, notLike: false },
    transitions: { exact: 'process', idempotent: false },
  } as const

  test.each([
    ['or', { or: [{ id: '1' }, { id: '2' }] }],
    ['notLike', { not: { id: { notLike: 'a%' } } }],
  ])('the operator %s, which the driver lacks', (operator, where) => {
    const driver = new ScriptedDriver([orders], capabilities)
    expect(() => listen(driver, { table: 'orders', where })).toThrow(
      `The driver 'scripted' does not support the operator '${operator}' in 'where' (its capability conditions.${operator} is false).`,
    )
    expect(driver.opened).toBe(0)
  })

  test('transitions that the driver lacks', () => {
    const driver = new ScriptedDriver([orders], capabilities)
    expect(() => listen(driver, { table: 'orders', transitions: 'idempotent' } as never)).toThrow(
      `The driver 'scripted' does not support transitions: 'idempotent'`,
    )
  })

  test('an operator of a condition that is parsed when it is attached is refused then', async () => {
    const driver = new ScriptedDriver([orders], capabilities)
    await using client = await connect(driver)
    const where = { toCondition: () => Promise.resolve({ kind: 'or', conditions: [] } as const) }
    expect((await rejection(client.listen({ table: 'orders', where }).ready)).code).toBe('ERR_CAPABILITY_UNSUPPORTED')
  })
})

describe('a table that is altered', () => {
  async function altered(columns: readonly string[], castName: string): Promise<RowtapError | string> {
    const driver = scripted()
    await using client = await connect(driver)
    const told = Promise.withResolvers<RowtapError | string>()
    client.on('error', told.resolve)
    const listener = client.listen({ table: 'orders', where: { status: 'paid' } })
    listener.on('insert', (event) => told.resolve(JSON.stringify(event.new)))
    await listener.ready
    const relation = textRelation('orders', columns)
    const typed = relation.columns.map((column) => ({ ...column, type: { ...TEXT, castName, displayName: castName } }))
    driver.deliver([{ kind: 'insert', relation: { ...relation, columns: typed }, new: ['1', 'new', 'paid'] }])
    return await told.promise
  }

  test('is bound again', async () => {
    expect(await altered(['id', 'added', 'status'], TEXT.castName)).toBe('{"id":"1","added":"new","status":"paid"}')
  })

  test.each([
    ['whose column is gone', ['id', 'added'], TEXT.castName, 'it is gone'],
    ['whose column has another type', ['id', 'added', 'status'], 'other', 'its type is now other'],
  ])('%s ends the client, and says why', async (_name, columns, castName, reason) => {
    const error = await altered(columns, castName)
    expect(RowtapError.is(error, 'ERR_SETUP_REQUIRED') && error.message).toContain(`"status": ${reason}`)
  })
})
