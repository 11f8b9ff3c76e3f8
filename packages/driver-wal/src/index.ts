export { walCapabilities } from './wal-capabilities.ts'
export type { WalCapabilities } from './wal-capabilities.ts'
export { walDriver } from './wal-driver.ts'
export type { TypeParsers, WalConnectionOptions, WalDriverOptions } from './wal-driver-options.ts'
