import { expect, test } from 'vitest'
import { connect } from '../connect.ts'
import type { RowtapError } from '../rowtap-error.ts'
import { SCRIPTED_CAPABILITIES, ScriptedDriver, textRelation } from '../testing/scripted-driver.ts'
import { until } from '../testing/until.ts'

const before = textRelation('orders', ['id', 'total', 'note'])
const after = textRelation('orders', ['id', 'total_paid', 'note'])

test.each([
  ['columns', { columns: ['id', 'total'] }],
  ['key', { key: ['total'] }],
  ['where', { where: { total: '1' } }],
])('a column that %s names and that is renamed ends the client with what to do', async (option, options) => {
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
})
