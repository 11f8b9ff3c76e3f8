export { inspectWal } from './health/inspect-wal.ts'
export type { InspectWalOptions } from './health/inspect-wal.ts'
export type { WalOwner } from './health/owned-name.ts'
export type {
  ManagedService,
  WalClient,
  WalHealth,
  WalLeftProgress,
  WalLogHealth,
  WalOrphan,
  WalPublicationHealth,
  WalRoleHealth,
  WalServerHealth,
  WalSlotHealth,
  WalStatus,
  WalStorageHealth,
  WalTableHealth,
  WalTableMissing,
} from './health/wal-health.ts'
export { uninstallWal } from './uninstall/uninstall-wal.ts'
export type { UninstallWalOptions, WalRemoval } from './uninstall/uninstall-wal.ts'
export { walObjects } from './uninstall/wal-objects.ts'
export type { WalObject } from './uninstall/wal-objects.ts'
export { dropSubscription } from './session/drop-subscription.ts'
export { walCapabilities } from './wal-capabilities.ts'
export type { WalCapabilities } from './wal-capabilities.ts'
export { walDriver } from './wal-driver.ts'
export type { ReconnectOptions } from '@rowtap/core/driver'
export type { TypeParsers, WalConnectionOptions, WalDriverOptions } from './wal-driver-options.ts'
