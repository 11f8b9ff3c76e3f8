import type { ChangeEvent } from '@rowtap/core'

import type { DriverName } from '../drivers/known-drivers.ts'
import { DRIVER_NAMES } from '../drivers/known-drivers.ts'
import type { Arrival } from './shop-observer.ts'

/** One driver's view of a change. */
export interface SeenChange {
  readonly event: ChangeEvent
  readonly arrival: Arrival
}

/** A change as the drivers saw it. */
export type PairedChange = ReadonlyMap<DriverName, SeenChange>

/** With so many changes waiting to be shown, no further transaction is chosen: what is shown is to be recent. */
const MOST_WAITING = 3

/**
 * Chooses some transactions for the screen, at the pace at which lines can be read, and brings together what the
 * drivers saw of them. The same transactions are chosen for every driver: whoever sees one first decides.
 */
export class PairedChanges {
  readonly #chosen = new Set<string>()
  readonly #passedOver = new Set<string>()
  readonly #waiting = new Map<string, Map<DriverName, SeenChange>>()

  /** Takes a change that a driver delivered. */
  add(driver: DriverName, seen: SeenChange): void {
    const { id } = seen.event.transaction
    if (!this.#isChosen(id)) return
    const name = identity(seen.event)
    const pair = this.#waiting.get(name) ?? new Map<DriverName, SeenChange>()
    this.#waiting.set(name, pair.set(driver, seen))
  }

  /** The next change that every driver has seen, if there is one. */
  next(): PairedChange | undefined {
    for (const [name, pair] of this.#waiting) {
      if (pair.size < DRIVER_NAMES.length) continue
      this.#waiting.delete(name)
      return pair
    }
    return undefined
  }

  #isChosen(transactionId: string): boolean {
    if (this.#chosen.has(transactionId)) return true
    if (this.#passedOver.has(transactionId)) return false
    const chosen = this.#waiting.size < MOST_WAITING
    ;(chosen ? this.#chosen : this.#passedOver).add(transactionId)
    return chosen
  }
}

function identity({ transaction, schema, table, kind, key }: ChangeEvent): string {
  return JSON.stringify([transaction.id, schema, table, kind, key])
}
