import type { ControlConnection } from '../connection/control-connection.ts'
import { SUBSCRIPTION_HOLDERS } from '../session/session-sql.ts'
import { ADVISORY_LOCKS } from './health-sql.ts'
import type { WalOwner } from './owned-name.ts'
import type { WalClient } from './wal-health.ts'

/**
 * The clients that are connected, of those that own something. The error of a failure is `pg`'s.
 *
 * @param owned what is there; several things may have one owner.
 */
export async function readClients(
  control: ControlConnection,
  owned: readonly { readonly owner: WalOwner }[],
): Promise<readonly WalClient[]> {
  const clients: WalClient[] = []
  for (const subscription of subscriptionsOf(owned)) {
    for (const { pid } of await control.query<'pid'>(SUBSCRIPTION_HOLDERS, [subscription])) {
      clients.push({ owner: { kind: 'subscription', subscription }, processId: Number(pid) })
    }
  }
  const digits = new Set(owned.flatMap(({ owner }) => (owner.kind === 'ephemeral' ? owner.digits : [])))
  // Others take advisory locks, too.
  for (const lock of await control.query<'digits' | 'pid'>(ADVISORY_LOCKS)) {
    if (lock.digits === null || !digits.has(lock.digits)) continue
    clients.push({ owner: { kind: 'ephemeral', digits: lock.digits }, processId: Number(lock.pid) })
  }
  return clients
}

function subscriptionsOf(owned: readonly { readonly owner: WalOwner }[]): ReadonlySet<string> {
  return new Set(owned.flatMap(({ owner }) => (owner.kind === 'subscription' ? owner.subscription : [])))
}
