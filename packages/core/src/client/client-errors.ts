import { RowtapError } from '../rowtap-error.ts'

/** An error of a driver as the user gets it: what the driver did not explain is wrapped. */
export function asRowtapError(driver: string, error: unknown): RowtapError {
  if (RowtapError.is(error)) return error
  const reason = error instanceof Error ? error.message : String(error)
  return new RowtapError('ERR_DRIVER_CONTRACT', {
    message: `The driver '${driver}' failed in a way that it does not explain: ${reason}`,
    cause: error,
  })
}

/** What is said to a listener that came too late. */
export function clientClosed(): RowtapError {
  return new RowtapError('ERR_CLOSED', { message: 'The client is closed.' })
}

/** Throws ERR_ABORTED if the caller gave up. */
export function throwIfAborted(signal: AbortSignal | null, cause?: unknown): void {
  if (signal === null || !signal.aborted) return
  throw new RowtapError('ERR_ABORTED', {
    message: 'Connecting was given up: the signal was aborted.',
    cause: cause ?? signal.reason,
  })
}
