import { AsyncLocalStorage } from 'node:async_hooks'

/** Which delivery the code was called from that runs in it, now or after an await. */
interface Frame {
  delivery: Delivery | null
}

/**
 * Remembers which delivery the running code was called from, so that a handler which stops its own listener, or
 * closes its client, does not wait for itself.
 */
const current = new AsyncLocalStorage<Frame>()

/** The frame of the sweep that is being made, where there is one. */
let shared: Frame | null = null

/** Something that hands events to handlers. */
export interface Delivery {
  /** Hands over what there is. Returns whether the handlers have returned. */
  begin(): boolean
}

/** Runs a delivery so that what its handlers call can be told apart. */
export function deliverInside(delivery: Delivery): void {
  current.run({ delivery }, () => delivery.begin())
}

/**
 * Runs several deliveries, one after the other, of which those that use {@link deliverInSweep} share a frame: to make
 * one for each would cost more than the rest of a delivery.
 */
export function sweep(run: () => void): void {
  const before = shared
  const frame: Frame = { delivery: null }
  shared = frame
  try {
    current.run(frame, run)
  } finally {
    shared = before
  }
}

/**
 * As {@link deliverInside}, for a delivery whose handlers return at once as far as is known. If one does not, the
 * frame is that delivery's for good.
 */
export function deliverInSweep(delivery: Delivery): void {
  const frame = shared
  if (frame === null || frame.delivery !== null || current.getStore() !== frame) {
    deliverInside(delivery)
    return
  }
  frame.delivery = delivery
  if (delivery.begin()) frame.delivery = null
}

/** Whether the running code was called by a handler of this delivery. */
export function isInsideHandlerOf(delivery: Delivery): boolean {
  return current.getStore()?.delivery === delivery
}
