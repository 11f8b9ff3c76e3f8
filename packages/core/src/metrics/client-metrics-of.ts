import type { Position } from '../contract/position.ts'
import type { TableName } from '../contract/table-name.ts'
import type { ClientMetrics, DeliveryCounts, ListenerMetrics, SnapshotMetrics, TableMetrics } from './client-metrics.ts'
import type { DeliveryTimes } from './delivery-times.ts'
import type { ListenerCounters } from './listener-counters.ts'
import type { SourceHealth } from './source-health.ts'
import type { TableCounters } from './table-counters.ts'

/** A listener, as far as it is measured. */
export interface MeasuredListener {
  readonly request: { readonly table: TableName }
  readonly counters: ListenerCounters
  readonly unfinished: number
  readonly bufferBytes: number
  readonly snapshot: SnapshotMetrics | null
}

/** What a client is measured by. */
export interface MeasuredClient {
  readonly changes: number
  readonly acknowledged: Position | null
  readonly source: SourceHealth | null
  readonly times: DeliveryTimes
  readonly tables: Iterable<TableCounters>
  readonly listeners: Iterable<MeasuredListener>
  /** Those that are detached, and whose handlers are not done yet. */
  readonly ending: Iterable<MeasuredListener>
}

interface Held {
  readonly waiting: number
  readonly bufferBytes: number
}

const NOTHING: Held = { waiting: 0, bufferBytes: 0 }

/** Reads what a client has counted. */
export function clientMetricsOf(client: MeasuredClient): ClientMetrics {
  const listeners: ListenerMetrics[] = []
  const held = new Map<string, Held>()
  for (const listener of client.listeners) {
    const { request, counters, unfinished, bufferBytes, snapshot } = listener
    const counts = countsOf(counters, { waiting: unfinished, bufferBytes })
    listeners.push({ table: request.table, ...counts, snapshot: snapshotOf(snapshot) })
    addHeld(held, listener)
  }
  for (const listener of client.ending) addHeld(held, listener)
  const tables: TableMetrics[] = []
  for (const counters of client.tables) {
    const { table, listeners: attached } = counters
    const { waiting, bufferBytes } = held.get(keyOf(table)) ?? NOTHING
    const counts = countsOf(counters, { waiting: waiting + counters.left, bufferBytes })
    tables.push({ table, listeners: attached, ...counts })
  }
  return {
    changes: client.changes,
    acknowledged: client.acknowledged,
    lagMs: client.times.lagMs,
    source: client.source,
    handlerDuration: client.times.handlerDuration.snapshot(),
    delay: client.times.delay.snapshot(),
    total: totalOf(tables),
    tables,
    listeners,
  }
}

function snapshotOf(snapshot: SnapshotMetrics | null): SnapshotMetrics | null {
  if (snapshot === null) return null
  const { rows, estimate, isDone } = snapshot
  return { rows, estimate, isDone }
}

function addHeld(held: Map<string, Held>, { request, unfinished, bufferBytes }: MeasuredListener): void {
  const key = keyOf(request.table)
  const before = held.get(key) ?? NOTHING
  held.set(key, { waiting: before.waiting + unfinished, bufferBytes: before.bufferBytes + bufferBytes })
}

function countsOf(counted: Omit<DeliveryCounts, keyof Held>, { waiting, bufferBytes }: Held): DeliveryCounts {
  const { received, filtered, delivered, failed, passedOver, retried, discarded, handlerMs } = counted
  return { received, filtered, delivered, failed, passedOver, retried, discarded, handlerMs, waiting, bufferBytes }
}

function totalOf(tables: readonly DeliveryCounts[]): DeliveryCounts {
  const sum = (count: (counts: DeliveryCounts) => number): number =>
    tables.reduce((total, counts) => total + count(counts), 0)
  return {
    received: sum(({ received }) => received),
    filtered: sum(({ filtered }) => filtered),
    delivered: sum(({ delivered }) => delivered),
    failed: sum(({ failed }) => failed),
    passedOver: sum(({ passedOver }) => passedOver),
    retried: sum(({ retried }) => retried),
    discarded: sum(({ discarded }) => discarded),
    handlerMs: sum(({ handlerMs }) => handlerMs),
    waiting: sum(({ waiting }) => waiting),
    bufferBytes: sum(({ bufferBytes }) => bufferBytes),
  }
}

function keyOf({ schema, name }: TableName): string {
  return JSON.stringify([schema, name])
}
