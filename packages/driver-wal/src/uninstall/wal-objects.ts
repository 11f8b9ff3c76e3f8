import { dropPublication, dropSlot, unlinkProgress } from '../health/orphans.ts'
import type { WalOwner } from '../health/owned-name.ts'
import { isSameOwner } from '../health/owned-name.ts'
import type { WalHealth } from '../health/wal-health.ts'

/** Something that the driver put into the database. */
export interface WalObject {
  readonly kind: 'replication slot' | 'publication' | 'large object'
  /** Its name; of a large object, its object id. */
  readonly name: string
  readonly owner: WalOwner
  /** What removes it, in this order. */
  readonly statements: readonly string[]
  /** The server processes that use it. */
  readonly usedBy: readonly number[]
}

/** Everything of ours in the database that was looked at, in the order in which it is to be removed: slots first. */
export function walObjects({ slots, publications, leftProgress, clients }: WalHealth): readonly WalObject[] {
  const here = slots.filter(({ isHere }) => isHere)
  const usersOf = (owner: WalOwner): readonly number[] => {
    const readers = here.flatMap((slot) => (isSameOwner(slot.owner, owner) ? (slot.activePid ?? []) : []))
    const holders = clients.flatMap((client) => (isSameOwner(client.owner, owner) ? client.processId : []))
    return [...new Set([...readers, ...holders])]
  }
  return [
    ...here.map(({ name, owner }): WalObject => ({
      kind: 'replication slot',
      name,
      owner,
      statements: [dropSlot(name)],
      usedBy: usersOf(owner),
    })),
    ...publications.map(({ name, owner, progress }): WalObject => ({
      kind: 'publication',
      name,
      owner,
      statements: dropPublication(name, progress),
      usedBy: usersOf(owner),
    })),
    ...leftProgress.map(({ oid, owner }): WalObject => ({
      kind: 'large object',
      name: String(oid),
      owner,
      statements: [unlinkProgress(oid)],
      usedBy: usersOf(owner),
    })),
  ]
}
