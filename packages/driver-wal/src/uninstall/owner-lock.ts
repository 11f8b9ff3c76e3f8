import { setTimeout as sleep } from 'node:timers/promises'
import type { ControlConnection } from '../connection/control-connection.ts'
import type { WalOwner } from '../health/owned-name.ts'
import { END_HOLDER, SUBSCRIPTION_HOLDERS, TRY_LOCK_SUBSCRIPTION } from '../session/session-sql.ts'
import { END_CLIENT, TRY_LOCK_CLIENT } from './uninstall-sql.ts'

/** How often the lock is tried for, and how long a pause is: others may wait to take over, one after the other. */
const ATTEMPTS = 100
const PAUSE_MS = 20

/**
 * Takes the advisory lock that a client holds of what it owns: whoever has it is the only one to change that. It lasts as
 * long as the connection. The error of a failure is `pg`'s.
 *
 * @param force ends the clients that have it, or get it before.
 * @returns whether it could be had.
 */
export async function takeOwnerLock(control: ControlConnection, owner: WalOwner, force: boolean): Promise<boolean> {
  for (let attempt = 1; ; attempt += 1) {
    if (await tryLock(control, owner)) return true
    if (!force || attempt === ATTEMPTS) return false
    await endHolders(control, owner)
    if (await tryLock(control, owner)) return true
    await sleep(PAUSE_MS)
  }
}

async function tryLock(control: ControlConnection, owner: WalOwner): Promise<boolean> {
  const [row] =
    owner.kind === 'subscription'
      ? await control.query<'got'>(TRY_LOCK_SUBSCRIPTION, [owner.subscription])
      : await control.query<'got'>(TRY_LOCK_CLIENT, [owner.digits])
  return row?.got === 't'
}

async function endHolders(control: ControlConnection, owner: WalOwner): Promise<void> {
  if (owner.kind === 'ephemeral') {
    await control.query(END_CLIENT, [owner.digits])
    return
  }
  for (const { pid } of await control.query<'pid'>(SUBSCRIPTION_HOLDERS, [owner.subscription])) {
    await control.query(END_HOLDER, [owner.subscription, pid])
  }
}
