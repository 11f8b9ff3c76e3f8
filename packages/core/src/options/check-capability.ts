import type { Capabilities, CapabilityName } from '../capabilities/capabilities.ts'
import { cellOf } from '../capabilities/capabilities.ts'
import { RowtapError } from '../rowtap-error.ts'

/** Refuses what the driver's manifest says `false` to, as the compiler does where the type is known. */
export function checkCapability(capabilities: Capabilities, name: CapabilityName, what: string): void {
  if (cellOf(capabilities, name) !== false) return
  throw new RowtapError('ERR_CAPABILITY_UNSUPPORTED', { message: unsupported(capabilities, name, what) })
}

/** That a driver's manifest says `false` to something, in a sentence. */
export function unsupported(capabilities: Capabilities, name: CapabilityName, what: string): string {
  return `The driver '${capabilities.driver}' does not support ${what} (its capability ${name} is false). Leave it out, or choose a driver that has it.`
}
