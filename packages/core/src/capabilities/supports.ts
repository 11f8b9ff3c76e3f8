import type { Capabilities, CapabilityName, Cell } from './capabilities.ts'
import { cellOf } from './capabilities.ts'

/** A manifest with `Value` in one cell. */
type CellIs<N extends CapabilityName, Value extends Cell> = N extends `${infer G}.${infer K}`
  ? { readonly [g in G]: { readonly [k in K]: Value } }
  : never

/**
 * What is left of a driver's type when it is known to have a capability: of a union only the drivers that may have
 * it, and nothing of a driver whose manifest says `false`.
 */
export type Supporting<D, N extends CapabilityName> = D extends { readonly capabilities: CellIs<N, false> }
  ? never
  : D & { readonly capabilities: CellIs<N, Exclude<Cell, false>> }

/**
 * Whether a driver has a capability, by its address in the manifest: `supports(driver, 'operations.truncate')`.
 * Where it returns true the driver's type is narrowed, so that options which depend on the capability compile.
 */
export function supports<D extends { readonly capabilities: Capabilities }, N extends CapabilityName>(
  driver: D,
  name: N,
): driver is Supporting<D, N> {
  return cellOf(driver.capabilities, name) !== false
}
