export { DRIVER_NAMES, KNOWN_DRIVERS } from './drivers/known-drivers.ts'
export type { DriverName, DriverSettings, KnownDriver } from './drivers/known-drivers.ts'
export { capabilityMarkdown } from './format/capability-matrix.ts'
export type { ValueTypes } from './format/value-types.ts'
