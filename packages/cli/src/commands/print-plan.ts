import type { Driver } from '@rowtap/core'
import { formatPlan, plan } from '@rowtap/core'

import type { Surroundings } from '../terminal/surroundings.ts'
import { listenOptions } from './listen-options.ts'
import { signalLines } from './signal-lines.ts'
import type { TailOptions } from './tail.ts'

/**
 * Prints what `rowtap tail` would do with these options, and every statement that it would execute. Executes none.
 *
 * @throws RowtapError what core and the driver throw.
 */
export async function printPlan(driver: Driver, options: TailOptions, around: Surroundings): Promise<void> {
  const connecting = new AbortController()
  const giveUp = (): void => connecting.abort()
  around.interrupted.addEventListener('abort', giveUp)
  if (around.interrupted.aborted) return
  try {
    const listeners = options.tables.map((table) => listenOptions(table, options))
    const planned = await plan(driver, listeners, {
      signal: connecting.signal,
      on: signalLines(around.messages),
      ...(options.subscription === undefined ? {} : { subscription: options.subscription }),
      ...(options.messages === undefined ? {} : { messages: options.messages }),
    })
    await around.output.write(options.json ? JSON.stringify(planned) : formatPlan(planned))
  } catch (error) {
    if (!around.interrupted.aborted) throw error
  } finally {
    around.interrupted.removeEventListener('abort', giveUp)
  }
}
