import type { Capabilities } from '../capabilities/capabilities.ts'
import type { Driver } from '../contract/driver.ts'
import { TableListener } from '../delivery/table-listener.ts'
import type { ListenRequest } from '../options/listen-request.ts'
import { OpenClient } from './open-client.ts'
import { throwUncaught } from './signals.ts'

/** A listener that opens a client for itself, and closes it when it is stopped. */
export function ownClientListener<C extends Capabilities>(driver: Driver<C>, request: ListenRequest): TableListener {
  const abandon = new AbortController()
  const opening = OpenClient.open(driver, {
    subscription: null,
    messages: null,
    signal: abandon.signal,
    on: {},
  })
  let client: OpenClient<C> | null = null
  let hasEnded = false
  const listener = new TableListener(request, {
    client: null,
    // Without a subscription nothing comes again.
    isDurable: false,
    get times() {
      return client?.times ?? null
    },
    done: (entry) => client?.done(entry),
    roomMade: () => client?.roomMade(),
    failed: (error) => client?.failed(error),
    passedOver: (from, event, error, how) => client?.passedOver(from, event, error, how),
    // Its user has no hand on the client: a listener that is refused must not leave one behind.
    hasFailed: () => {
      // Whoever waits for the end is told what becomes of it.
      if (!hasEnded) client?.close().catch(throwUncaught)
    },
    detach: async () => {
      // A client that is there closes when what was received is handed over: nothing more is offered until then.
      if (client === null) abandon.abort()
      await Promise.resolve()
    },
    ended: async () => {
      hasEnded = true
      // An error while opening is told by the listener, below.
      const opened = await opening.catch(() => null)
      await opened?.close()
    },
  })
  opening.then(
    (opened) => {
      client = opened
      if (!listener.isStopped) opened.attach(request, () => listener)
    },
    (error: unknown) => {
      if (!listener.isStopped && !listener.fail(error)) throwUncaught(error)
    },
  )
  return listener
}
