import { AsyncLocalStorage } from 'node:async_hooks'

/**
 * Remembers which delivery the running code was called from, so that a handler which stops its own listener, or
 * closes its client, does not wait for itself.
 */
const current = new AsyncLocalStorage<object>()

/** Runs a delivery loop so that what its handlers call can be told apart. */
export function deliverInside<T>(delivery: object, run: () => T): T {
  return current.run(delivery, run)
}

/** Whether the running code was called by a handler of this delivery. */
export function isInsideHandlerOf(delivery: object): boolean {
  return current.getStore() === delivery
}
