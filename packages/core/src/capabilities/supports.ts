import type { Capabilities, CapabilityName, Cell } from './capabilities.ts'
import { cellOf } from './capabilities.ts'

/** The manifest's type with one cell known not to be `false`. */
export type WithCapability<C extends Capabilities, N extends CapabilityName> = N extends `${infer G}.${infer K}`
  ? C & { readonly [g in G]: { readonly [k in K]: Exclude<Cell, false> } }
  : never

/**
 * Whether a driver has a capability, by its address in the manifest: `supports(driver, 'operations.truncate')`.
 * Where it returns true the driver's type is narrowed, so that options which depend on the capability compile.
 */
export function supports<C extends Capabilities, N extends CapabilityName, D extends { readonly capabilities: C }>(
  driver: D & { readonly capabilities: C },
  name: N,
): driver is D & { readonly capabilities: WithCapability<C, N> } {
  return cellOf(driver.capabilities, name) !== false
}
