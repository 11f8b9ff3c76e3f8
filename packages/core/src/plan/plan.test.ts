import { expect, test } from 'vitest'
import { connect, plan } from '../connect.ts'
import { SCRIPTED_CAPABILITIES, ScriptedDriver, textRelation } from '../testing/scripted-driver.ts'
import { formatPlan } from './format-plan.ts'

const orders = textRelation('orders', ['id', 'status', 'note'])
const statement = 'ALTER TABLE public.bare REPLICA IDENTITY FULL'
/** Gives only the key of old rows. */
const bare = textRelation('bare', ['id', 'status'], {
  oldColumns: [0],
  oldRowsStatement: statement,
  columns: textRelation('bare', ['id', 'status']).columns.map((column) => ({ ...column, mayBeUnavailable: false })),
})

function scripted(): ScriptedDriver {
  return new ScriptedDriver([orders, bare], SCRIPTED_CAPABILITIES)
}

test('a plan holds each listener with its defaults filled in, and what the driver would execute', async () => {
  const driver = scripted()
  driver.onNormalise = (constants) => Promise.resolve(constants.map(({ text }) => ({ text: text.toUpperCase() })))
  const planned = await plan(driver, [
    { table: 'orders', columns: ['note', 'id'], where: { status: { in: ['paid', `o'pen`] } } },
  ])
  expect(planned).toEqual({
    driver: 'scripted',
    listeners: [
      {
        isAttached: false,
        table: { schema: 'public', name: 'orders' },
        operations: ['insert', 'update', 'delete', 'truncate'],
        rows: true,
        columns: ['id', 'note'],
        key: ['id'],
        where: `("status" IN ('paid', 'o''pen'))`,
        transitions: 'exact',
        oldRow: { columns: 'all', statement: null },
        parts: [
          { what: 'operations', where: 'database', why: expect.any(String) },
          { what: 'condition', where: 'process', why: expect.stringContaining(`'scripted'`) },
          { what: 'columns', where: 'process', why: expect.stringContaining('changes none of them is left out') },
          { what: 'key change', where: 'process', why: expect.any(String) },
          { what: 'transitions', where: 'process', why: expect.stringContaining('an update into it is an insert') },
        ],
      },
    ],
    statements: [
      {
        sql: 'CAPTURE public.orders (insert, update, delete, truncate)',
        purpose: 'Reads the script.',
        table: { schema: 'public', name: 'orders' },
      },
    ],
  })
  expect(JSON.parse(JSON.stringify(planned))).toEqual(planned)
})

test('planning before connecting opens a session that is there to plan only, captures nothing, and closes it', async () => {
  const driver = scripted()
  await plan(driver, [{ table: 'orders' }])
  expect(driver.host?.planOnly).toBe(true)
  expect({ opened: driver.opened, closed: driver.closed, captured: driver.captured, taken: driver.taken }).toEqual({
    opened: 1,
    closed: 1,
    captured: [],
    taken: 0,
  })
})

test('a client plans beside what is attached, in its turn, and goes on', async () => {
  const driver = scripted()
  await using client = await connect(driver)
  expect(driver.host?.planOnly).toBe(false)
  const listener = client.listen({ table: 'orders', operations: ['insert'] })
  const [planned] = await Promise.all([client.plan([{ table: 'bare' }]), listener.ready])
  expect(planned.listeners.map(({ table, isAttached }) => [table.name, isAttached])).toEqual([
    ['orders', true],
    ['bare', false],
  ])
  expect(planned.statements.map(({ sql }) => sql)).toEqual([
    'CAPTURE public.orders (insert)',
    'CAPTURE public.bare (insert, update, delete, truncate)',
  ])
  expect((await client.plan()).listeners).toHaveLength(1)
  expect(driver.captured).toHaveLength(1)
})

test('a client plans for other tables whatever has become of one that is attached, which it shows as it was', async () => {
  const relations = [orders, bare]
  await using client = await connect(new ScriptedDriver(relations, SCRIPTED_CAPABILITIES))
  const attached = client.listen({ table: 'orders', columns: ['id', 'note'], where: { status: 'paid' } })
  await attached.ready
  const planOf = async (table: string) => await client.plan([{ table, operations: ['insert'] }])
  const before = await planOf('bare')
  relations[0] = textRelation('orders', ['id', 'state'])
  expect(await planOf('bare')).toEqual(before)
  expect(await planOf('orders')).toMatchObject({ listeners: [before.listeners[0], { columns: ['id', 'state'] }] })
  relations.shift()
  expect(await planOf('bare')).toEqual(before)
})

test('several listeners of one table are one request', async () => {
  const planned = await plan(scripted(), [
    { table: 'orders', operations: ['delete'] },
    { table: 'orders', operations: ['insert'] },
  ])
  expect(planned.statements.map(({ sql }) => sql)).toEqual(['CAPTURE public.orders (insert, delete)'])
})

test('a plan says what is not known of old rows, and what that means', async () => {
  const { listeners } = await plan(scripted(), [
    { table: 'bare', columns: ['status'], where: { status: 'paid' }, transitions: 'idempotent' },
  ])
  expect(listeners[0]).toMatchObject({ oldRow: { columns: ['id'], statement }, transitions: 'idempotent' })
  expect(listeners[0]?.parts.find(({ what }) => what === 'transitions')?.why).toContain('lacks columns')
  expect(listeners[0]?.parts.find(({ what }) => what === 'columns')?.why).toContain('is delivered, too')
})

test('a plan refuses what a listener would be refused for', async () => {
  const invalid = { code: 'ERR_INVALID_OPTIONS' }
  await expect(plan(scripted(), [{ table: 'orders', columns: ['nope'] }])).rejects.toMatchObject(invalid)
  await expect(plan(scripted(), [{ table: 'missing' }])).rejects.toMatchObject({ code: 'ERR_SETUP_REQUIRED' })
  await expect(plan(scripted(), [{ table: 'bare', where: { status: 'paid' } }])).rejects.toMatchObject({
    code: 'ERR_SETUP_REQUIRED',
    message: expect.stringContaining(statement),
  })
  const driver = scripted()
  await using client = await connect(driver)
  const options: unknown = { table: 'orders' }
  await expect(client.plan(options as [])).rejects.toMatchObject(invalid)
  await expect(client.plan([{ table: 'missing' }])).rejects.toMatchObject({ code: 'ERR_SETUP_REQUIRED' })
  // The refusal is no reason for a listener that comes later to fail.
  await client.listen({ table: 'orders' }).ready
  await client.close()
  await expect(client.plan()).rejects.toMatchObject({ code: 'ERR_CLOSED' })
})

test('its text is for people, and its statements are a script', async () => {
  const text = formatPlan(
    await plan(scripted(), [{ table: 'orders', columns: ['id'], where: { status: 'paid' } }, { table: 'bare' }]),
  )
  expect(text).toMatch(
    /^Driver: scripted\n\nListener on public\.orders\n {2}operations {3}insert, update, delete, truncate\n/,
  )
  expect(text).toContain(`\n  where        ("status" = 'paid')\n`)
  expect(text).toContain('\n    condition    in the process: ')
  expect(text).toContain(`\n               (every column after: ${statement} — it is not run)\n`)
  expect(text).toMatch(/\n\n-- 2\. Reads the script\. \(public\.bare\)\nCAPTURE public\.bare \(.*\);$/)
})

test('the text of a plan of a listener without rows is of operations alone', async () => {
  const text = formatPlan(await plan(scripted(), [{ table: 'bare', rows: false, operations: ['insert'] }]))
  expect(text).toContain(
    `Listener on public.bare\n  operations  insert\n  rows        none\n  what runs where:\n    operations  in the database: `,
  )
  expect(text).toContain(`\n    rows        in the process: The driver 'scripted' hands over the rows`)
})
