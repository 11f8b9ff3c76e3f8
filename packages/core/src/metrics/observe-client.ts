import type { Client } from '../client.ts'
import type { Capabilities } from '../capabilities/capabilities.ts'
import { formatTableName } from '../contract/table-name.ts'
import { subscribeTo } from './channels.ts'
import type { DeliverMessage, FailureMessage } from './channels.ts'
import type { DeliveryCounts } from './client-metrics.ts'
import type { BatchResult, Meter, Observable } from './meter.ts'

interface CountInstrument {
  readonly kind: 'counter' | 'gauge'
  readonly count: keyof DeliveryCounts
  readonly name: string
  readonly unit: string
  readonly description: string
}

/** By table, with the attribute `rowtap.table`: a series for each of ten thousand listeners would be paid for by nobody. */
const COUNTS: readonly CountInstrument[] = [
  {
    kind: 'counter',
    count: 'received',
    name: 'rowtap.received',
    unit: '{change}',
    description: 'Changes, once for each listener of their table',
  },
  {
    kind: 'counter',
    count: 'filtered',
    name: 'rowtap.filtered',
    unit: '{change}',
    description: 'Received changes that the listener did not want',
  },
  {
    kind: 'counter',
    count: 'delivered',
    name: 'rowtap.delivered',
    unit: '{event}',
    description: 'Events whose handlers have returned, or that have none',
  },
  {
    kind: 'counter',
    count: 'failed',
    name: 'rowtap.failed',
    unit: '{event}',
    description: 'Events whose handlers failed for good',
  },
  {
    kind: 'counter',
    count: 'passedOver',
    name: 'rowtap.passed_over',
    unit: '{event}',
    description: 'Failed events that were skipped or dead-lettered',
  },
  {
    kind: 'counter',
    count: 'retried',
    name: 'rowtap.retried',
    unit: '{call}',
    description: 'Calls of a handler after one that failed',
  },
  {
    kind: 'counter',
    count: 'discarded',
    name: 'rowtap.discarded',
    unit: '{change}',
    description: 'Changes that were given up unhandled and count as done',
  },
  {
    kind: 'gauge',
    count: 'waiting',
    name: 'rowtap.waiting',
    unit: '{change}',
    description: 'Received changes that are not done',
  },
  {
    kind: 'gauge',
    count: 'bufferBytes',
    name: 'rowtap.buffer.size',
    unit: 'By',
    description: 'What the changes that are not done hold',
  },
]

/**
 * Publishes a client's metrics through a meter of OpenTelemetry: the counts of `metrics()` by table when the meter's
 * reader asks for them, `rowtap.lag`, and as histograms, event by event, `rowtap.handler.duration` and `rowtap.delay`.
 * Returns the function that ends it; a client that is closed is let go of by calling that.
 */
export function observeClient<C extends Capabilities>(client: Client<C>, meter: Meter): () => void {
  const counts = COUNTS.map(({ kind, count, name, unit, description }) => {
    const options = { unit, description }
    const instrument =
      kind === 'counter' ? meter.createObservableCounter(name, options) : meter.createObservableGauge(name, options)
    return { count, instrument }
  })
  const lag = meter.createObservableGauge('rowtap.lag', {
    unit: 's',
    description: 'How long ago the change was committed that was delivered last',
  })
  // One callback for all: the client is asked once.
  const observe = (result: BatchResult): void => {
    const { tables, lagMs } = client.metrics()
    for (const table of tables) {
      const attributes = { 'rowtap.table': formatTableName(table.table) }
      for (const { count, instrument } of counts) result.observe(instrument, table[count], attributes)
    }
    if (lagMs !== null) result.observe(lag, lagMs / 1000)
  }
  const observables: Observable[] = [...counts.map(({ instrument }) => instrument), lag]
  meter.addBatchObservableCallback(observe, observables)
  const stopRecording = recordDeliveries(client, meter)
  return () => {
    stopRecording()
    meter.removeBatchObservableCallback(observe, observables)
  }
}

function recordDeliveries(client: object, meter: Meter): () => void {
  const duration = meter.createHistogram('rowtap.handler.duration', {
    unit: 's',
    description: 'How long handlers took for an event, retries included',
  })
  const delay = meter.createHistogram('rowtap.delay', {
    unit: 's',
    description: 'How long after its commit an event was handed over',
  })
  const record = (message: DeliverMessage | FailureMessage): void => {
    if (message.client !== client) return
    const attributes = { 'rowtap.table': formatTableName(message.table) }
    duration.record(message.durationMs / 1000, attributes)
    if (message.delayMs !== null) delay.record(message.delayMs / 1000, attributes)
  }
  const ends = [subscribeTo('rowtap:deliver', record), subscribeTo('rowtap:failure', record)]
  return () => {
    for (const end of ends) end()
  }
}
