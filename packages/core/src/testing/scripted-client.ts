import type { Client } from '../client.ts'
import { connect } from '../connect.ts'
import type { ChangeEvent } from '../event.ts'
import type { ScriptedChange } from './scripted-driver.ts'
import { SCRIPTED_CAPABILITIES, ScriptedDriver, textRelation } from './scripted-driver.ts'

/** {@link SCRIPTED_CAPABILITIES} with subscriptions. */
export const DURABLE_CAPABILITIES: Omit<typeof SCRIPTED_CAPABILITIES, 'delivery'> & {
  readonly delivery: Omit<(typeof SCRIPTED_CAPABILITIES)['delivery'], 'subscription'> & {
    readonly subscription: 'database'
  }
} = { ...SCRIPTED_CAPABILITIES, delivery: { ...SCRIPTED_CAPABILITIES.delivery, subscription: 'database' } }

/** A client on a script with a table `orders` (id, status), closed with the block that has it. */
export interface ScriptedClient extends AsyncDisposable {
  readonly driver: ScriptedDriver<typeof DURABLE_CAPABILITIES>
  readonly client: Client<typeof DURABLE_CAPABILITIES>
}

/** Connects to a script, with a subscription or without. */
export async function scriptedClient(kind: 'durable' | 'ephemeral'): Promise<ScriptedClient> {
  const driver = new ScriptedDriver([textRelation('orders', ['id', 'status'])], DURABLE_CAPABILITIES)
  const client = await connect(driver, kind === 'durable' ? { subscription: 'billing' } : {})
  return { driver, client, [Symbol.asyncDispose]: async () => void (await client.close({ timeoutMs: 0 })) }
}

/** Rows that were inserted, in one transaction. */
export function inserts(...ids: readonly string[]): readonly ScriptedChange[] {
  return ids.map((id) => ({ kind: 'insert', new: [id, 'new'] }))
}

/** A handler whose calls end when the test says so. */
export interface GatedHandler {
  readonly handler: (event: ChangeEvent) => Promise<void>
  /** The ids of the events that it was called with. */
  readonly begun: readonly string[]
  readonly end: (id: string) => void
}

/** Makes a {@link GatedHandler}. */
export function gatedHandler(): GatedHandler {
  const ends = new Map<string, () => void>()
  const begun: string[] = []
  return {
    begun,
    handler: (event) => {
      begun.push(event.id)
      return new Promise((resolve) => ends.set(event.id, resolve))
    },
    end: (id) => ends.get(id)?.(),
  }
}

/** Resolves when everything that was to happen at once has happened. */
export async function soon(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve))
}
