/**
 * A program with a durable subscription, as a process of its own, so that it can be killed. What it handles is on the disk
 * before it is acknowledged. It ends when its standard input does: with `close` before that in good order, otherwise at once.
 */
import type { Client } from '@rowtap/core'
import { connect, RowtapError } from '@rowtap/core'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { loadChaosDriver } from '../chaos-driver.ts'
import { handledEvent } from '../handled-event.ts'
import type { ConsumerNote, LogLine } from '../handled-log.ts'
import { HandledLog } from '../handled-log.ts'
import { LEDGER_TABLES } from '../ledger.ts'
import type { ConsumerOptions } from './consumer-options.ts'
import { TRY_AGAIN } from './consumer-options.ts'

const RETRY_MS = 50
const CLOSE_MS = 20_000
const GATHER_MS = 250

const options = JSON.parse(process.argv[2] ?? '') as ConsumerOptions
const log = await HandledLog.create(options.log)
const gathered: (() => Promise<void>)[] = []
let isClosing = false
const told = Promise.withResolvers<void>()
createInterface(process.stdin)
  .on('line', () => {
    isClosing = true
    told.resolve()
  })
  .on('close', () => {
    if (!isClosing) process.exit()
  })

try {
  await consume()
  await end('closed', '', 0)
} catch (error) {
  const passes = RowtapError.is(error) && error.retryable
  await end('failed', error instanceof Error ? String(error.stack) : String(error), passes ? TRY_AGAIN : 1)
}

async function consume(): Promise<void> {
  const failed = Promise.withResolvers<never>()
  failed.promise.catch(() => undefined)
  const client = await connected((error) => failed.reject(error))
  await note('connected', '')
  // One after another, as programs do: what the second table has waits for its listener.
  for (const { name } of LEDGER_TABLES) await Promise.race([listen(client, name), failed.promise])
  await note('ready', '')
  await Promise.race([told.promise, failed.promise])
  const { unfinished } = await client.close({ timeoutMs: CLOSE_MS })
  if (unfinished > 0) throw new Error(`${unfinished} changes were not handled within ${CLOSE_MS / 1000} s`)
}

/** Connects, as soon as the server can be reached. */
async function connected(failed: (error: RowtapError) => void): Promise<Client> {
  const driver = await loadChaosDriver(options.module)
  for (;;) {
    try {
      return await connect(driver.create({ url: options.url }), {
        subscription: options.subscription,
        on: {
          gap: ({ reason }) => void write({ kind: 'gap', reason }),
          wait: ({ reason }) => void note('wait', reason),
          reconnect: ({ outcome, attempt, cause }) =>
            void note(outcome === 'connected' ? 'connected again' : 'connecting again', `${attempt}: ${cause.message}`),
          error: failed,
        },
      })
    } catch (error) {
      if (!RowtapError.is(error) || !error.retryable || isClosing) throw error
      await note('retry', error.message)
      await sleep(RETRY_MS)
    }
  }
}

async function listen(client: Client, table: string): Promise<void> {
  if (options.handling === 'each') {
    const listener = client.listen({ table: `public.${table}` })
    listener.on('change', (event) => {
      const handled = handledEvent(event)
      return handled === null ? undefined : write({ kind: 'event', event: handled })
    })
    return await listener.ready
  }
  const listener = client.listen({ table: `public.${table}`, ack: 'manual' })
  listener.on('change', (event) => {
    const handled = handledEvent(event)
    if (handled !== null) gather(() => write({ kind: 'event', event: handled }).then(event.ack))
  })
  return await listener.ready
}

/** Handles events together, some time after they have come: what is acknowledged in between is acknowledged too early. */
function gather(handle: () => Promise<void>): void {
  if (gathered.length === 0) {
    setTimeout(() => {
      for (const each of gathered.splice(0)) void each()
    }, GATHER_MS)
  }
  gathered.push(handle)
}

function note(kind: ConsumerNote, text: string): Promise<void> {
  return write({ kind: 'note', note: kind, text })
}

async function write(line: LogLine): Promise<void> {
  await log.append(line)
}

async function end(kind: ConsumerNote, text: string, exitCode: number): Promise<void> {
  await note(kind, text)
  await log.close()
  process.exit(exitCode)
}
