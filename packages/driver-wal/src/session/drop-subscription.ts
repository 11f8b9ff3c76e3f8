import type { DurableSubscription } from '@rowtap/core/driver'
import { connectError, RowtapError, Waiting } from '@rowtap/core/driver'
import { clientConfig } from '../connection/client-config.ts'
import { databaseError } from '../errors/database-error.ts'
import { durableName } from '../publication/durable-name.ts'
import { dropPublications } from '../publication/ephemeral-publications.ts'
import type { WalDriverOptions } from '../wal-driver-options.ts'
import { removeProgress } from '../snapshot/saved-progress.ts'
import { controlConnection } from './open-link.ts'
import { DATABASE_OID, DROP_SLOT } from './session-sql.ts'
import { takeSubscription } from './subscription-lock.ts'
import { idleSlot } from './subscription-slot.ts'

/**
 * Removes a durable subscription: its slot, which keeps the write-ahead log from what is not handled on, and its
 * publications. One that is not there is removed already.
 *
 * @throws RowtapError (rejects) ERR_SUBSCRIPTION_IN_USE where a process has it; ERR_INVALID_OPTIONS,
 *   ERR_CONNECTION_FAILED, ERR_AUTHENTICATION_FAILED, ERR_SETUP_REQUIRED.
 */
export async function dropSubscription(
  options: Pick<WalDriverOptions, 'connection'>,
  name: DurableSubscription['name'],
): Promise<void> {
  if (typeof name !== 'string' || !/^[a-z][a-z0-9_]{0,39}$/u.test(name)) {
    throw new RowtapError('ERR_INVALID_OPTIONS', {
      message: `dropSubscription: ${JSON.stringify(name)} is not the name of a subscription.`,
    })
  }
  const control = controlConnection(clientConfig(options.connection))
  try {
    await control.connect().catch((error: unknown) => {
      throw connectError(error, control)
    })
    const host = { signal: new AbortController().signal, notify: () => undefined }
    await takeSubscription(control, { name, wait: false, waiting: new Waiting(host), formerProcessIds: new Set() })
    const [row] = await control.query<'oid'>(DATABASE_OID)
    const names = durableName(name, Number(row?.oid))
    // The slot first: without its publications it could not be read.
    if ((await idleSlot(control, names.slot, new Waiting(host))) !== null) await control.query(DROP_SLOT, [names.slot])
    await removeProgress(control, names.publications.all)
    await dropPublications(control, names)
  } catch (error) {
    throw databaseError(error, `remove subscription ${name}`)
  } finally {
    await control.end()
  }
}
