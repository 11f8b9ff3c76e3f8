import type { CapabilityName, ConnectOptions, Driver, ListenOptions } from '@rowtap/core'
import { cellOf, connect, listen, RowtapError } from '@rowtap/core'
import assert from 'node:assert/strict'

/** An option that asks for a capability: refused, before anything is opened, where the manifest says `false`. */
export type Refusal =
  | { readonly kind: 'listen'; readonly options: Omit<ListenOptions, 'table'> }
  | { readonly kind: 'connect'; readonly options: ConnectOptions }

/**
 * Proves that a driver without a capability refuses the option that asks for it, although the types were lost on the
 * way: with ERR_CAPABILITY_UNSUPPORTED, naming driver and capability, before the driver is opened.
 */
export async function assertRefused(driver: Driver, capability: CapabilityName, refusal: Refusal): Promise<void> {
  assert.equal(cellOf(driver.capabilities, capability), false)
  let opened = false
  const watched: Driver = {
    specification: driver.specification,
    name: driver.name,
    capabilities: driver.capabilities,
    open(host) {
      opened = true
      return driver.open(host)
    },
  }
  await assert.rejects(
    async () => {
      if (refusal.kind === 'connect') return void (await connect(watched, refusal.options))
      await using listener = listen(watched, { table: 'public.t', ...refusal.options })
      await listener.ready
    },
    (error) => {
      assert.ok(
        RowtapError.is(error, 'ERR_CAPABILITY_UNSUPPORTED'),
        `not refused with ERR_CAPABILITY_UNSUPPORTED, but: ${String(error)}`,
      )
      assert.ok(error.message.includes(`'${driver.name}'`), `the message does not name the driver: ${error.message}`)
      assert.ok(
        error.message.includes(capability),
        `the message does not name the capability ${capability}: ${error.message}`,
      )
      return true
    },
    `${capability} is false, and yet what asks for it is accepted`,
  )
  assert.equal(opened, false, 'the driver was opened before the option was refused')
}
