import type { Driver } from '@rowtap/core/driver'
import { openSession } from './session/open-session.ts'
import type { TriggerCapabilities } from './trigger-capabilities.ts'
import { triggerCapabilities } from './trigger-capabilities.ts'
import type { TriggerDriverOptions } from './trigger-options.ts'
import { resolveTriggerOptions } from './trigger-options.ts'

/**
 * Captures changes with triggers that write into a queue table, for databases where logical replication is not
 * to be had.
 *
 * The role needs `SELECT` and `TRIGGER` on the tables that are listened to, and `CREATE` on the database (for the
 * schema that holds the queue). Everything that it makes is gone when the last client of the database has closed.
 *
 * @throws RowtapError ERR_INVALID_OPTIONS
 */
export function triggerDriver(options: TriggerDriverOptions = {}): Driver<TriggerCapabilities> {
  const resolved = resolveTriggerOptions(options)
  return {
    specification: 1,
    name: 'trigger',
    capabilities: triggerCapabilities,
    open: (host) => openSession(resolved, host),
  }
}
