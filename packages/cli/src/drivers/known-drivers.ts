import type { Capabilities, Driver } from '@rowtap/core'
import type { TriggerDriverOptions } from '@rowtap/driver-trigger'
import { triggerCapabilities, triggerDriver } from '@rowtap/driver-trigger'
import type { WalDriverOptions } from '@rowtap/driver-wal'
import { walCapabilities, walDriver } from '@rowtap/driver-wal'

import type { ValueTypes } from '../format/value-types.ts'

/** A driver's name on the command line. */
export type DriverName = 'wal' | 'trigger'

/** The options of driver-wal that the command line has. */
export type WalFlags = Pick<WalDriverOptions, 'replicaIdentity' | 'pushdown' | 'streaming'>

/** The options of driver-trigger that the command line has. */
export type TriggerFlags = Pick<TriggerDriverOptions, 'pushdown'>

/** How the command opens a driver. */
export interface DriverSettings {
  /** A connection string. */
  readonly connection: string
  /** How values are turned into JavaScript's. Default: as `pg` does it. */
  readonly types?: ValueTypes
  /** For driver-wal alone. */
  readonly wal?: WalFlags
  /** For driver-trigger alone. */
  readonly trigger?: TriggerFlags
}

/** A driver that comes with the command. */
export interface KnownDriver {
  readonly capabilities: Capabilities
  create(settings: DriverSettings): Driver
}

/** Every driver that comes with the command. */
export const KNOWN_DRIVERS: Readonly<Record<DriverName, KnownDriver>> = {
  wal: {
    capabilities: walCapabilities,
    create: ({ connection, types, wal }) =>
      walDriver({ connection, ...(types === undefined ? {} : { types }), ...wal }),
  },
  trigger: {
    capabilities: triggerCapabilities,
    create: ({ connection, types, trigger }) =>
      triggerDriver({ connection, ...(types === undefined ? {} : { types }), ...trigger }),
  },
}

/** Their names, in the order in which tables list them. The first is the default. */
export const DRIVER_NAMES: readonly DriverName[] = ['wal', 'trigger']
