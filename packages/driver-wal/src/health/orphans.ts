import { quoteIdentifier } from '@rowtap/core/driver'
import type { WalOwner } from './owned-name.ts'
import { isSameOwner } from './owned-name.ts'
import type { WalClient, WalHealth, WalOrphan, WalSlotHealth } from './wal-health.ts'

/** What orphans are found in. */
export type Inventory = Pick<WalHealth, 'slots' | 'publications' | 'leftProgress' | 'clients'>

/** What one owner has. */
type Belongings = Omit<Inventory, 'clients'>

/** What is there of ours and used by nobody, in the database that is connected to. */
export function findOrphans({ slots, publications, leftProgress, clients }: Inventory): readonly WalOrphan[] {
  const here = slots.filter(({ isHere }) => isHere)
  const owners: WalOwner[] = []
  for (const { owner } of [...here, ...publications, ...leftProgress]) {
    if (!owners.some((other) => isSameOwner(owner, other))) owners.push(owner)
  }
  return owners.flatMap((owner) => {
    const isIts = (one: { readonly owner: WalOwner }): boolean => isSameOwner(one.owner, owner)
    const its: Belongings = {
      slots: here.filter(isIts),
      publications: publications.filter(isIts),
      leftProgress: leftProgress.filter(isIts),
    }
    return isHeld(owner, its.slots, clients) ? [] : [orphan(reasonOf(owner, its), owner, its)]
  })
}

/** Whether somebody reads it, or is connected to do so. */
function isHeld(owner: WalOwner, slots: readonly WalSlotHealth[], clients: readonly WalClient[]): boolean {
  return slots.some(({ isActive }) => isActive) || clients.some((client) => isSameOwner(client.owner, owner))
}

function reasonOf(owner: WalOwner, { slots, publications }: Belongings): WalOrphan['reason'] {
  if (owner.kind === 'ephemeral') return 'crashed client'
  if (slots.length === 0)
    return publications.length === 0 ? 'progress without publications' : 'publications without slot'
  // A slot does not see a publication that is younger: with one alone it cannot go on.
  return publications.length < 2 ? 'slot without publications' : 'nobody reads it'
}

function orphan(
  reason: WalOrphan['reason'],
  owner: WalOwner,
  { slots, publications, leftProgress }: Belongings,
): WalOrphan {
  const slotNames = slots.map(({ name }) => name)
  const progress = leftProgress.map(({ oid }) => oid)
  return {
    reason,
    owner,
    slots: slotNames,
    publications: publications.map(({ name }) => name),
    progress,
    statements: [
      ...slotNames.map(dropSlot),
      ...publications.flatMap((publication) => dropPublication(publication.name, publication.progress)),
      ...progress.map(unlinkProgress),
    ],
  }
}

/** The statement that removes a slot. Its name is letters, digits and underscores. */
export function dropSlot(name: string): string {
  return `SELECT pg_catalog.pg_drop_replication_slot('${name.replaceAll("'", "''")}')`
}

/** The statements that remove a publication, and before it the large objects that go with it. */
export function dropPublication(name: string, progress: readonly number[] = []): readonly string[] {
  return [...progress.map(unlinkProgress), `DROP PUBLICATION IF EXISTS ${quoteIdentifier(name)}`]
}

/** The statement that removes a large object. */
export function unlinkProgress(oid: number): string {
  return `SELECT pg_catalog.lo_unlink(${oid})`
}
