export type { ReconnectOptions } from '@rowtap/core/driver'
export { inspectTrigger } from './health/inspect-trigger.ts'
export type { InspectTriggerOptions } from './health/inspect-trigger.ts'
export type {
  AbandonedTrigger,
  CapturedTableHealth,
  ConsumerHealth,
  InstallationContent,
  QueueHealth,
  TriggerFault,
  TriggerHealth,
  TriggerInstallation,
  TriggerRoleHealth,
  TriggerServerHealth,
  TriggerTableHealth,
} from './health/trigger-health.ts'
export { triggerDriver } from './trigger-driver.ts'
export { triggerCapabilities } from './trigger-capabilities.ts'
export type { TriggerCapabilities } from './trigger-capabilities.ts'
export type {
  PollIntervalMs,
  QueueLimit,
  PostgresConnection,
  PostgresTypes,
  TriggerDriverOptions,
} from './trigger-options.ts'
export { uninstallStatements, uninstallTrigger } from './uninstall/uninstall-trigger.ts'
export type { UninstallTriggerOptions } from './uninstall/uninstall-trigger.ts'
