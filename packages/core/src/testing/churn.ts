/**
 * A program that lets listeners come and go, and prints what that left behind, as JSON. A process of its own, because
 * a test runner's timers come and go as they like. Run with --expose-gc.
 */
import type { Client } from '../client.ts'
import { connect } from '../connect.ts'
import { SCRIPTED_CAPABILITIES, ScriptedDriver, textRelation } from './scripted-driver.ts'
import { until } from './until.ts'

const orders = textRelation('orders', ['id', 'status'])

const ROUNDS = 1000

/** Listeners that come and go, in every way in which they can, and a change for each. */
async function churn(client: Client<typeof SCRIPTED_CAPABILITIES>, driver: ScriptedDriver): Promise<void> {
  const signal = new AbortController().signal
  for (let round = 0; round < ROUNDS; round++) {
    const { delivered } = client.metrics().total
    const listener = client.listen({
      table: 'orders',
      where: { status: `s${round % 7}` },
      signal,
      retry: { attempts: 2, minDelayMs: 1 },
      concurrency: 1 + (round % 2),
    })
    let fails = round % 100 === 0
    const off = listener.on('change', async () => {
      await Promise.resolve()
      if (!fails) return
      fails = false
      throw new Error('once')
    })
    await listener.ready
    driver.deliver([{ kind: 'insert', new: [String(round), `s${round % 7}`] }])
    await until(() => client.metrics().total.delivered === delivered + 1)
    off()
    await listener.stop()
  }
}

/** Listeners that a loop reads, and one that is stopped before it is live. */
async function pull(client: Client<typeof SCRIPTED_CAPABILITIES>, driver: ScriptedDriver): Promise<void> {
  for (let round = 0; round < ROUNDS; round++) {
    const listener = client.listen({ table: 'orders' })
    await client.listen({ table: 'orders' }).stop()
    const loop = listener[Symbol.asyncIterator]()
    await listener.ready
    driver.deliver([{ kind: 'insert', new: [String(round), 'x'] }])
    await loop.next()
    await loop.return?.()
  }
}

/** What the process waits for, by kind. Those of the test's own `until` come and go. */
function resources(): readonly string[] {
  return process.getActiveResourcesInfo().filter((name) => name !== 'Immediate')
}

const rejections: unknown[] = []
process.on('unhandledRejection', (reason) => rejections.push(reason))
const driver = new ScriptedDriver([orders], SCRIPTED_CAPABILITIES)
const client = await connect(driver)

function heap(): number {
  // What the driver remembers for tests is not what is measured.
  for (const list of [driver.captured, driver.acknowledged, driver.detached]) list.length = 0
  if (globalThis.gc === undefined) throw new Error('run this with --expose-gc')
  globalThis.gc()
  return process.memoryUsage().heapUsed
}

// Once before the measurement: what is made with the first use stays.
await churn(client, driver)
await pull(client, driver)
const before = { heap: heap(), resources: resources() }
await churn(client, driver)
await pull(client, driver)
const grownBytes = heap() - before.heap
const after = resources()
const { listeners, total } = client.metrics()
await client.close()
process.stdout.write(
  JSON.stringify({
    rounds: ROUNDS,
    grownBytes,
    before: before.resources,
    after,
    listeners,
    total,
    rejections: rejections.map(String),
  }),
)
