import type { Client, DeliveredEvent, ListenOptions } from '@rowtap/core'
import type { Collector, CollectorOptions } from './collector.ts'
import { collect } from './collector.ts'

/** A collector of a listener that begins with its table's rows. */
export interface SnapshotCollector extends Collector {
  /** What has come so far, rows and changes, in order. */
  readonly delivered: readonly DeliveredEvent[]
}

/** Attaches a listener with `snapshot`, and collects what it is given, from the first row on. */
export function collectSnapshot(
  client: Client,
  options: Omit<ListenOptions, 'snapshot'>,
  collectorOptions: CollectorOptions = {},
): SnapshotCollector {
  // Rows and changes are told apart by who looks at them: a collector only keeps them.
  const wanted: ListenOptions = { ...options, snapshot: 'initial' }
  const collector = collect(client.listen(wanted), collectorOptions)
  return { ...collector, delivered: collector.events }
}
