/** Something that comes to an end, and waits for handlers that run. */
export interface End {
  /** The calls of handlers that it may have to wait for, those that run now. */
  calls(): Iterable<HandlerCall>
}

/** Something that hands events to handlers. */
export interface Delivery {
  /**
   * Hands over what there is. Handlers that return at once may do so in the call that is given.
   *
   * @returns whether that call is free again.
   */
  begin(shared: HandlerCall | null): boolean
  /** One of its calls waits for an end from now on: whoever waits for that call looks again. */
  callWaits(): void
}

/** One call of an event's handlers, as the code that it runs finds it, now or after an await. */
export interface HandlerCall {
  /** Whose handlers run in it; `null` once they have returned: what they left behind is called by nobody. */
  delivery: Delivery | null
  /** The ends that the handlers wait for. */
  waitsFor: readonly End[]
}

const NOTHING: readonly never[] = []

/** A call of a delivery's handlers; of nobody's, where there is none yet. */
export function handlerCall(delivery: Delivery | null): HandlerCall {
  return { delivery, waitsFor: NOTHING }
}

/**
 * Whether a call goes on only after something else, an end or another call, has come about: by itself, or by way of the
 * ends that it waits for and the calls that those wait for.
 */
export function goesOnAfter(call: HandlerCall, goal: End | HandlerCall, seen: Set<End> = new Set()): boolean {
  if (call === goal) return true
  for (const end of call.waitsFor) {
    if (end === goal) return true
    if (seen.has(end)) continue
    seen.add(end)
    for (const other of end.calls()) if (goesOnAfter(other, goal, seen)) return true
  }
  return false
}
