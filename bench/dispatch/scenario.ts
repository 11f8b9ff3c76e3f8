import type { Client, Listener, Where } from '@rowtap/core'
import { connect } from '@rowtap/core'
import type { Measured } from './median.ts'
import { cpuUs, measured } from './median.ts'
import { MemoryDriver } from './memory-driver.ts'

/** What the listeners ask for. */
export type ScenarioName = 'equality' | 'range' | 'both'

/** What a number of listeners costs. */
export interface ScenarioResult {
  readonly changeCpuUs: Measured
  /** The heap that a listener with one handler takes before its first event, and after it. */
  readonly idleBytes: number
  readonly usedBytes: number
  /** Attaching one listener more, until it is live, and detaching it again. */
  readonly attachCpuUs: Measured
  readonly detachCpuUs: Measured
}

const CHANGES = 50_000
const BATCH = 100
const WARM_UP_ROUNDS = 2
const ATTACHMENTS = 20

const CONDITIONS: Readonly<Record<ScenarioName, (n: number) => Where>> = {
  equality: (n) => ({ customer_id: n }),
  range: (n) => ({ total: { gte: n, lt: n + 1 } }),
  both: (n) => ({ status: 'paid', total: { gte: n, lt: n + 1 } }),
}

/** Measures one scenario. Changes are made beforehand; what is measured is the way from the driver's batch to the acknowledgement. */
export async function scenario(name: ScenarioName, count: number, rounds: number): Promise<ScenarioResult> {
  const driver = new MemoryDriver()
  const client = await connect(driver)
  let handled = 0
  const attach = (n: number): Listener => {
    const listener = client.listen({ table: 'orders', where: CONDITIONS[name](n) })
    listener.on('insert', () => void handled++)
    return listener
  }
  const everyone = Array.from({ length: count }, (_, n) => n)
  // The first of everything compiles code and fills caches that are nobody's.
  await warmUp(driver, attach)

  const before = heapBytes()
  const listeners = everyone.map(attach)
  await Promise.all(listeners.map((listener) => listener.ready))
  const idleBytes = (heapBytes() - before) / count
  await driver.deliver(driver.prepare(everyone, BATCH))
  const usedBytes = (heapBytes() - before) / count

  handled = 0
  const changes: number[] = []
  for (let round = 0; round < WARM_UP_ROUNDS + rounds; round++) {
    const batches = driver.prepare(customers(count), BATCH)
    heapBytes()
    const spent = await cpuUs(() => driver.deliver(batches))
    if (round >= WARM_UP_ROUNDS) changes.push(spent / CHANGES)
  }
  const expected = (WARM_UP_ROUNDS + rounds) * CHANGES
  if (handled !== expected) throw new Error(`${handled} events were handled where ${expected} were expected.`)

  const { attached, detached } = await comeAndGo(attach, count, rounds)
  await close(client)
  return {
    changeCpuUs: measured(changes),
    idleBytes,
    usedBytes,
    attachCpuUs: measured(attached),
    detachCpuUs: measured(detached),
  }
}

async function warmUp(driver: MemoryDriver, attach: (n: number) => Listener): Promise<void> {
  const listeners = Array.from({ length: 100 }, (_, n) => attach(n))
  await Promise.all(listeners.map((listener) => listener.ready))
  await driver.deliver(driver.prepare(customers(100), BATCH))
  await Promise.all(listeners.map((listener) => listener.stop()))
}

/** Attaches and detaches listeners one at a time beside those that are there. */
async function comeAndGo(
  attach: (n: number) => Listener,
  count: number,
  rounds: number,
): Promise<{ readonly attached: readonly number[]; readonly detached: readonly number[] }> {
  const attached: number[] = []
  const detached: number[] = []
  for (let round = 0; round < rounds; round++) {
    const coming: Listener[] = []
    const attaching = await cpuUs(async () => {
      for (let n = 0; n < ATTACHMENTS; n++) {
        const listener = attach(count + n)
        await listener.ready
        coming.push(listener)
      }
    })
    const detaching = await cpuUs(async () => {
      for (const listener of coming) await listener.stop()
    })
    attached.push(attaching / ATTACHMENTS)
    detached.push(detaching / ATTACHMENTS)
  }
  return { attached, detached }
}

/** Customers in an order that no cache can guess, the same in every run. */
function customers(count: number): readonly number[] {
  let seed = 42
  return Array.from({ length: CHANGES }, () => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((seed / 2 ** 32) * count)
  })
}

function heapBytes(): number {
  if (globalThis.gc === undefined) throw new Error('Run with --expose-gc.')
  globalThis.gc()
  return process.memoryUsage().heapUsed
}

async function close(client: Client): Promise<void> {
  await client.close()
}
