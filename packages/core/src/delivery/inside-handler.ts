import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks'
import type { Delivery, End, HandlerCall } from './handler-call.ts'
import { handlerCall } from './handler-call.ts'

/**
 * Remembers which call of a handler the running code belongs to, so that a handler which stops its own listener, or
 * closes its client, does not wait for itself.
 */
const current = new AsyncLocalStorage<HandlerCall>()

/** The call of the sweep that is being made, where there is one. */
let shared: HandlerCall | null = null

/** A call that the handlers of one event after another run in. */
export interface LastingCall {
  readonly call: HandlerCall
  /** Runs something so that what it calls, now or after an await, is known to belong to the call. */
  run<P, R>(what: (parameter: P) => R, parameter: P): R
}

/**
 * A call for handlers that run one after the other, in the context that it is made in. What one of them has left behind (a
 * timer), and that runs while another one's handlers do, is taken for theirs. It is made once for many events, because a
 * context of its own for each costs as much as delivering it.
 */
export function lastingCall(): LastingCall {
  const call = handlerCall(null)
  // The same as a snapshot of the context, which costs twice as much to run something in.
  const context = current.run(call, () => new AsyncResource('rowtap:handlers'))
  return { call, run: (what, parameter) => context.runInAsyncScope(what, undefined, parameter) }
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

/** Runs what belongs to a call, now or after an await. */
export function runInCall<T>(call: HandlerCall, run: () => T): T {
  return current.run(call, run)
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

/** What a handler waits for of which it is not known yet whether it does. */
const UNDECIDED: End = { calls: () => [] }

/**
 * Says that a handler waits for an end, if it has not returned by the next turn of the event loop: one that asks for the
 * end and returns waits for nothing, and what is behind it need not be given up for its sake.
 */
export function waitForUnlessDone(call: HandlerCall, end: End): void {
  // Until then, and for good if it has returned, the call is nobody else's.
  waitFor(call, UNDECIDED)
  setImmediate(() => {
    if (call.delivery !== null) waitFor(call, end)
  })
}
