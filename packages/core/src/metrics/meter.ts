/** The parts of OpenTelemetry's API for metrics that are needed here: a meter of `@opentelemetry/api` is one of these. */
export interface Meter {
  createObservableCounter(name: string, options: Instrument): Observable
  createObservableGauge(name: string, options: Instrument): Observable
  createHistogram(name: string, options: Instrument): Recorder
  addBatchObservableCallback(callback: (result: BatchResult) => void, observables: Observable[]): void
  removeBatchObservableCallback(callback: (result: BatchResult) => void, observables: Observable[]): void
}

/** What an instrument is for. */
export interface Instrument {
  readonly description: string
  /** As in UCUM: `s`, `By`, `{event}`. */
  readonly unit: string
}

/** What a value is of. */
export type Attributes = Record<string, string>

/** An instrument whose value is asked for. It is only passed on. */
export interface Observable {
  addCallback(callback: never): void
  removeCallback(callback: never): void
}

/** Takes the values that were asked for. */
export interface BatchResult {
  observe(observable: Observable, value: number, attributes?: Attributes): void
}

/** An instrument that is told each value. */
export interface Recorder {
  record(value: number, attributes?: Attributes): void
}
