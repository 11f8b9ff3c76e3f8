import type { CaptureRequest, DriverHost } from '@rowtap/core/driver'
import { Waiting } from '@rowtap/core/driver'
import { fullIdentityStatements } from '../catalog/full-identity.ts'
import type { ControlConnection } from '../connection/control-connection.ts'
import { ALL_LOCK_HOLDERS } from './lock-sql.ts'
import { pauseAfterFailure } from './pause-after-failure.ts'
import { textOf } from './transaction-statements.ts'
import type { WantedTables } from './wanted-tables.ts'

/**
 * Gives tables full identity, where that is asked for, before they are published. No transaction that wrote to one is
 * open then: every change that follows has its old row.
 *
 * @throws RowtapError where a table cannot be captured; otherwise the error is `pg`'s.
 */
export async function giveFullIdentity(
  { control, host }: { readonly control: ControlConnection; readonly host: DriverHost },
  wanted: WantedTables,
  requests: readonly CaptureRequest[],
): Promise<void> {
  const waiting = new Waiting(host)
  for (;;) {
    // What would be refused is refused before anything is altered.
    await wanted.lookUp(requests)
    const [lacking] = await wanted.lackingIdentity(requests)
    if (lacking === undefined) return
    try {
      await control.attempt(textOf(fullIdentityStatements(lacking)))
    } catch (error) {
      await pauseAfterFailure(error, { control, waiting, holders: ALL_LOCK_HOLDERS, tables: [lacking.oid] })
    }
  }
}
