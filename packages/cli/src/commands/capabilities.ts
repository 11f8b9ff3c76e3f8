import { DRIVER_NAMES, KNOWN_DRIVERS } from '../drivers/known-drivers.ts'
import { capabilityMatrix, capabilityObject } from '../format/capability-matrix.ts'
import type { Surroundings } from '../terminal/surroundings.ts'

/** What `rowtap capabilities` takes. */
export interface CapabilitiesOptions {
  readonly json: boolean
}

/** Prints what each driver can do, from the drivers' own manifests. */
export async function printCapabilities(options: CapabilitiesOptions, { output, colors }: Surroundings): Promise<void> {
  const manifests = DRIVER_NAMES.map((name) => KNOWN_DRIVERS[name].capabilities)
  await output.write(options.json ? JSON.stringify(capabilityObject(manifests)) : capabilityMatrix(manifests, colors))
}
