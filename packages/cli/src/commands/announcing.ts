import type { Client, Driver } from '@rowtap/core'

import type { LineOutput } from '../terminal/line-output.ts'

/**
 * The same driver, with a line for everything that it waits for. A client hands such notices on only once it is
 * there, and the longest wait may be the one for the client itself.
 */
export function announcing(driver: Driver, messages: LineOutput): Driver {
  return {
    specification: driver.specification,
    name: driver.name,
    capabilities: driver.capabilities,
    open: (host) =>
      driver.open({
        subscription: host.subscription,
        signal: host.signal,
        notify(notice) {
          if (notice.kind === 'wait') {
            const { reason, processIds } = notice
            const holders = processIds.length === 0 ? '' : ` (server process ${processIds.join(', ')})`
            void messages.write(`wait: ${reason}${holders}`)
          }
          host.notify(notice)
        },
      }),
  }
}

/** Prints what else a client tells besides changes: one line each. */
export function printSignals(client: Client, messages: LineOutput): void {
  client.on('reconnect', ({ attempt, cause }) => {
    void messages.write(`reconnect: attempt ${attempt}: ${cause.message}`)
  })
  client.on('gap', ({ reason, from, to }) => {
    void messages.write(`gap: changes may be missing between ${from ?? 'the start'} and ${to ?? 'now'}: ${reason}`)
  })
}
