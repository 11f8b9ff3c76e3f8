import type { Client, SignalEvent, SignalListener } from '@rowtap/core'

/** A listener without rows, and what it was told. */
export interface Told {
  readonly listener: SignalListener
  readonly signals: SignalEvent[]
}

/** Attaches a listener without rows, of `public.t` unless told otherwise, and waits until it is live. */
export async function told(
  client: Client,
  handler: (signal: SignalEvent) => unknown = () => undefined,
  table = 'public.t',
): Promise<Told> {
  const listener = client.listen({ table, rows: false })
  const signals: SignalEvent[] = []
  listener.on('signal', (signal) => {
    signals.push(signal)
    return handler(signal)
  })
  await listener.ready
  return { listener, signals }
}

/** The transaction that each signal is the last of. */
export function transactionsOf(signals: readonly SignalEvent[]): readonly string[] {
  return signals.map(({ transaction }) => transaction.id)
}
