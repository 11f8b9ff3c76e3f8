/** Metrics for OpenTelemetry: `@rowtap/core/opentelemetry`. */
export { observeClient } from './metrics/observe-client.ts'
export type { Attributes, BatchResult, Instrument, Meter, Observable, Recorder } from './metrics/meter.ts'
