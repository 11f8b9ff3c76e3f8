import type { CapabilityName, Client, DeliveredEvent, Driver, LogicalMessage, Operation, TableName } from '@rowtap/core'
import { cellOf, connect, listen } from '@rowtap/core'

import type { DriverName, TriggerFlags, WalFlags } from '../drivers/known-drivers.ts'
import { KNOWN_DRIVERS } from '../drivers/known-drivers.ts'
import { changeLine } from '../format/change-line.ts'
import { displayWidth } from '../format/display-width.ts'
import { jsonLine } from '../format/json-line.ts'
import { messageJsonLine, messageLine } from '../format/message-line.ts'
import { plainTable } from '../format/plain-value.ts'
import type { ValueForm } from '../format/value-types.ts'
import { VALUE_TYPES } from '../format/value-types.ts'
import type { LineOutput } from '../terminal/line-output.ts'
import type { Surroundings } from '../terminal/surroundings.ts'
import { listenOptions } from './listen-options.ts'
import { OrderedEvents } from './ordered-events.ts'
import { printPlan } from './print-plan.ts'
import { signalLines } from './signal-lines.ts'

/** What `rowtap tail` takes. What is left out is core's default. */
export interface TailOptions {
  readonly url: string
  readonly tables: readonly TableName[]
  readonly driver: DriverName
  readonly operations?: readonly Operation[]
  readonly columns?: readonly string[]
  readonly where?: string
  readonly subscription?: string
  readonly transitions?: 'exact' | 'idempotent'
  /** Begin with the rows that are there. */
  readonly snapshot?: boolean
  /** Print only that tables have changed, without rows. */
  readonly signals?: boolean
  /** Print logical messages, too. */
  readonly messages?: true | { readonly prefixes: readonly string[] }
  readonly wal?: WalFlags
  readonly trigger?: TriggerFlags
  readonly json: boolean
  readonly values: ValueForm
  readonly limit?: number
  /** Print what would be done, and do nothing. */
  readonly plan?: boolean
}

/** How long what was received may take to be written, once the command is to end. */
const FINISH_MS = 10_000

/**
 * Prints changes as they happen, until it is interrupted, its reader goes away or the limit is reached. With `plan` it
 * prints what it would do, and ends.
 *
 * @throws RowtapError what core and the driver throw.
 */
export async function tail(options: TailOptions, around: Surroundings): Promise<void> {
  const { interrupted, output } = around
  // A person reads PostgreSQL's own text best.
  const types = VALUE_TYPES[options.json ? options.values : 'text']
  const { wal = {}, trigger = {} } = options
  const driver = KNOWN_DRIVERS[options.driver].create({ connection: options.url, types, wal, trigger })

  if (options.plan === true) return await printPlan(driver, options, around)
  refuseUnsupported(driver, options)

  const connecting = new AbortController()
  const giveUp = (): void => connecting.abort()
  interrupted.addEventListener('abort', giveUp)
  if (interrupted.aborted) return
  let client: Client
  try {
    client = await connect(driver, {
      signal: connecting.signal,
      on: signalLines(around.messages),
      ...(options.subscription === undefined ? {} : { subscription: options.subscription }),
      ...(options.messages === undefined ? {} : { messages: options.messages }),
    })
  } catch (error) {
    if (interrupted.aborted) return
    throw error
  } finally {
    // From here on an interruption is an orderly end.
    interrupted.removeEventListener('abort', giveUp)
  }

  const end = Promise.withResolvers<'interrupted' | 'limit' | 'closed'>()
  const onInterrupt = (): void => end.resolve('interrupted')
  interrupted.addEventListener('abort', onInterrupt)
  if (interrupted.aborted) onInterrupt()
  output.closed.then(() => end.resolve('closed'), end.reject)
  client.on('error', end.reject)

  await using closing = new ClientEnd(client, around.messages)
  const printer = linePrinter(options, around, () => end.resolve('limit'))
  const ordered = new OrderedEvents<DeliveredEvent | PlacedMessage>(printer)
  const isAlone = options.tables.length === 1 && options.messages === undefined
  const listeners = options.tables.map((table) => client.listen(listenOptions(table, options)))
  for (const listener of listeners) {
    listener.on('change', isAlone ? printer : (event) => ordered.add(event))
  }
  if (options.messages !== undefined) {
    client.on('message', (message) => ordered.add({ kind: 'message', position: message.position, message }))
  }
  const ready = Promise.all(listeners.map((listener) => listener.ready)).then(() => {
    return around.messages.write(`ready: ${subjects(options).join(', ')} (${options.driver})`)
  })
  await Promise.race([ready, end.promise])
  const reason = await end.promise
  // Otherwise nobody takes what follows, and waiting for it would be in vain.
  closing.finishes = reason === 'interrupted'
}

/** Closes the client when the command ends. */
class ClientEnd implements AsyncDisposable {
  /** Whether what was received is still to be printed. */
  finishes = false
  readonly #client: Client
  readonly #messages: LineOutput

  constructor(client: Client, messages: LineOutput) {
    this.#client = client
    this.#messages = messages
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { unfinished } = await this.#client.close({ timeoutMs: this.finishes ? FINISH_MS : 0 })
    if (this.finishes && unfinished > 0)
      await this.#messages.write(`unfinished: ${unfinished} changes were not printed`)
  }
}

/** A logical message at its place among the events. */
interface PlacedMessage {
  readonly kind: 'message'
  readonly position: LogicalMessage['position']
  readonly message: LogicalMessage
}

/** What is printed, in words. */
function subjects({ tables, messages }: TailOptions): readonly string[] {
  return [...tables.map(plainTable), ...(messages === undefined ? [] : ['messages'])]
}

/** Writes each event, and each message, as a line. Past the limit, and past the reader's end, events stay unhandled: they are nobody's. */
function linePrinter(
  options: TailOptions,
  { output, isTerminal, columns, colors }: Surroundings,
  limitReached: () => void,
): (event: DeliveredEvent | PlacedMessage) => Promise<void> | undefined {
  const tableWidth = Math.max(...subjects(options).map(displayWidth))
  const never = new Promise<void>(() => {})
  let left = options.limit ?? Number.POSITIVE_INFINITY
  return (event) => {
    if (left <= 0 || output.isClosed) return never
    left -= 1
    const style = { colors, columns: isTerminal ? columns() : null, tableWidth }
    const json = event.kind === 'message' ? () => messageJsonLine(event.message) : () => jsonLine(event)
    const text = event.kind === 'message' ? () => messageLine(event.message, style) : () => changeLine(event, style)
    const written = output.write(options.json ? json() : text())
    if (left <= 0) limitReached()
    return written
  }
}

/** Core refuses what the driver does not support when a listener is made: let that be before the database is touched. */
function refuseUnsupported(driver: Driver, options: TailOptions): void {
  const needed: readonly (CapabilityName | null)[] = [
    options.where === undefined ? null : 'conditions.where',
    options.columns === undefined ? null : 'columns.projection',
    options.snapshot === true ? 'snapshot.initial' : null,
    options.signals === true ? 'listeners.withoutRows' : null,
    ...(options.operations ?? []).map((operation) => `operations.${operation}` as const),
  ]
  const [table] = options.tables
  const refused = needed.some((name) => name !== null && cellOf(driver.capabilities, name) === false)
  if (refused && table !== undefined) listen(driver, listenOptions(table, options))
}
