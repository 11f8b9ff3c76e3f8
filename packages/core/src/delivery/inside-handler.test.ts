import { expect, test } from 'vitest'
import { connect } from '../connect.ts'
import { SCRIPTED_CAPABILITIES, ScriptedDriver, textRelation } from '../testing/scripted-driver.ts'
import { until } from '../testing/until.ts'

const orders = textRelation('orders', ['id'])

test('a handler that returned at once before, and now awaits, can stop its listener and close its client', async () => {
  const driver = new ScriptedDriver([orders], SCRIPTED_CAPABILITIES)
  const client = await connect(driver)
  const seen: string[] = []
  const others = Array.from({ length: 3 }, () => client.listen({ table: 'orders' }))
  for (const other of others) other.on('insert', () => void seen.push('other'))
  const listener = client.listen({ table: 'orders' })
  const done = Promise.withResolvers<void>()
  listener.on('insert', (event) => {
    if (event.key['id'] === '1') return undefined
    return (async () => {
      await new Promise((resolve) => setImmediate(resolve))
      await listener.stop()
      await client.close()
      done.resolve()
    })()
  })
  await Promise.all([...others, listener].map((one) => one.ready))
  driver.deliver([{ kind: 'insert', new: ['1'] }])
  await until(() => seen.length === 3)
  driver.deliver([{ kind: 'insert', new: ['2'] }])
  await done.promise
  expect(seen).toHaveLength(6)
  expect(driver.closed).toBe(1)
})

test('a handler that stops another listener waits for what that one is handling', async () => {
  const driver = new ScriptedDriver([orders], SCRIPTED_CAPABILITIES)
  await using client = await connect(driver)
  const log: string[] = []
  const slow = client.listen({ table: 'orders' })
  const gate = Promise.withResolvers<void>()
  slow.on('insert', async () => {
    await gate.promise
    log.push('slow is done')
  })
  const stopping = client.listen({ table: 'orders' })
  stopping.on('insert', async () => {
    const stopped = slow.stop()
    gate.resolve()
    await stopped
    log.push('slow is stopped')
  })
  await Promise.all([slow.ready, stopping.ready])
  driver.deliver([{ kind: 'insert', new: ['1'] }])
  await until(() => log.length === 2)
  expect(log).toEqual(['slow is done', 'slow is stopped'])
})
