import { AsyncLocalStorage } from 'node:async_hooks'
import type { Delivery, End, HandlerCall } from './handler-call.ts'
import { handlerCall } from './handler-call.ts'

/**
 * Remembers which call of a handler the running code belongs to, so that a handler which stops its own listener, or
 * closes its client, does not wait for itself.
 */
const current = new AsyncLocalStorage<HandlerCall>()

/** The call of the sweep that is being made, where there is one. */
let shared: HandlerCall | null = null

/** Runs handlers so that what they call can be told apart. */
export function runInside<T>(call: HandlerCall, run: () => T): T {
  return current.run(call, run)
}

/**
 * Runs several deliveries, one after the other, of which those that use {@link deliverInSweep} share a call: to make one
 * for each event would cost more than the rest of a delivery.
 */
export function sweep(run: () => void): void {
  const before = shared
  const call = handlerCall(null)
  shared = call
  try {
    current.run(call, run)
  } finally {
    shared = before
  }
}

/**
 * Begins a delivery whose handlers return at once as far as is known. If one does not, the call that the delivery shared
 * with others is that handler's for good.
 */
export function deliverInSweep(delivery: Delivery): void {
  const call = shared
  if (call === null || !isFree(call) || current.getStore() !== call) {
    const own = handlerCall(delivery)
    current.run(own, () => beginIn(own, delivery))
    return
  }
  beginIn(call, delivery)
}

/** Whether nobody has it, and nobody who had it waits for something. */
function isFree(call: HandlerCall): boolean {
  return call.delivery === null && call.waitsFor.length === 0
}

function beginIn(call: HandlerCall, delivery: Delivery): void {
  call.delivery = delivery
  if (delivery.begin(call)) call.delivery = null
}

/** The call of a handler that the running code belongs to; `null` where there is none, or its handler has returned. */
export function currentCall(): HandlerCall | null {
  const call = current.getStore()
  return call === undefined || call.delivery === null ? null : call
}

/** Says that a handler waits for an end. Returns the function that takes it back. */
export function waitFor(call: HandlerCall, end: End): () => void {
  call.waitsFor = [...call.waitsFor, end]
  call.delivery?.callWaits()
  return () => {
    const index = call.waitsFor.indexOf(end)
    call.waitsFor = call.waitsFor.filter((_, at) => at !== index)
  }
}
