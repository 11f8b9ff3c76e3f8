import { RowtapError } from '../rowtap-error.ts'

/** Why nothing more comes of a listener that was stopped. */
export function stopped(): RowtapError {
  return closed('The listener was stopped.')
}

/** The same of one that was not live yet. */
export function stoppedEarly(signal: AbortSignal | null): RowtapError {
  if (signal?.aborted !== true) return closed('The listener was stopped before it was live.')
  return new RowtapError('ERR_ABORTED', {
    message: 'The listener was given up before it was live: its signal was aborted.',
    cause: signal.reason,
  })
}

/** An ERR_CLOSED with this sentence. */
export function closed(message: string): RowtapError {
  return new RowtapError('ERR_CLOSED', { message })
}
