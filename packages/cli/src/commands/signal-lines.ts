import type { ClientSignals } from '@rowtap/core'

import type { LineOutput } from '../terminal/line-output.ts'

/** Prints what a client tells besides changes: one line each. */
export function signalLines(messages: LineOutput): {
  readonly [K in 'wait' | 'reconnect' | 'gap']: (notice: ClientSignals[K]) => void
} {
  return {
    wait: ({ reason, processIds }) => {
      const holders = processIds.length === 0 ? '' : ` (server process ${processIds.join(', ')})`
      void messages.write(`wait: ${reason}${holders}`)
    },
    reconnect: ({ outcome, attempt, cause }) => {
      void messages.write(
        outcome === 'connected' ? 'reconnect: connected again' : `reconnect: attempt ${attempt}: ${cause.message}`,
      )
    },
    gap: ({ reason, from, to }) => {
      void messages.write(`gap: changes may be missing between ${from ?? 'the start'} and ${to ?? 'now'}: ${reason}`)
    },
  }
}
