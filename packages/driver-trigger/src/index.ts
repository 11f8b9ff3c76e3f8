export { triggerDriver } from './trigger-driver.ts'
export { triggerCapabilities } from './trigger-capabilities.ts'
export type { TriggerCapabilities } from './trigger-capabilities.ts'
export type { PollIntervalMs, PostgresConnection, PostgresTypes, TriggerDriverOptions } from './trigger-options.ts'
