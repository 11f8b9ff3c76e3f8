import { quoteIdentifier } from '@rowtap/core/driver'
import type { WalOwner } from './owned-name.ts'
import { isSameOwner } from './owned-name.ts'
import type { WalClient, WalHealth, WalOrphan, WalPublicationHealth, WalSlotHealth } from './wal-health.ts'

/** What orphans are found in. */
export type Inventory = Pick<WalHealth, 'slots' | 'publications' | 'clients'>

/** What is there of ours and used by nobody, in the database that is connected to. */
export function findOrphans({ slots, publications, clients }: Inventory): readonly WalOrphan[] {
  const here = slots.filter(({ isHere }) => isHere)
  const owners: WalOwner[] = []
  for (const { owner } of [...here, ...publications]) {
    if (!owners.some((other) => isSameOwner(owner, other))) owners.push(owner)
  }
  return owners.flatMap((owner) => {
    const own = here.filter((slot) => isSameOwner(slot.owner, owner))
    const published = publications.filter((publication) => isSameOwner(publication.owner, owner))
    return isHeld(owner, own, clients) ? [] : [orphan(reasonOf(owner, own, published), owner, own, published)]
  })
}

/** Whether somebody reads it, or is connected to do so. */
function isHeld(owner: WalOwner, slots: readonly WalSlotHealth[], clients: readonly WalClient[]): boolean {
  return slots.some(({ isActive }) => isActive) || clients.some((client) => isSameOwner(client.owner, owner))
}

function reasonOf(
  owner: WalOwner,
  slots: readonly WalSlotHealth[],
  publications: readonly WalPublicationHealth[],
): WalOrphan['reason'] {
  if (owner.kind === 'ephemeral') return 'crashed client'
  if (slots.length === 0) return 'publications without slot'
  return publications.length === 0 ? 'slot without publications' : 'nobody reads it'
}

function orphan(
  reason: WalOrphan['reason'],
  owner: WalOwner,
  slots: readonly WalSlotHealth[],
  publications: readonly WalPublicationHealth[],
): WalOrphan {
  const slotNames = slots.map(({ name }) => name)
  const publicationNames = publications.map(({ name }) => name)
  return {
    reason,
    owner,
    slots: slotNames,
    publications: publicationNames,
    statements: [
      ...slotNames.map(dropSlot),
      ...publications.map(({ name, progress }) => dropPublication(name, progress)),
    ],
  }
}

/** The statement that removes a slot. Its name is letters, digits and underscores. */
export function dropSlot(name: string): string {
  return `SELECT pg_catalog.pg_drop_replication_slot('${name.replaceAll("'", "''")}')`
}

/** The statement that removes a publication, and the large objects that go with it. */
export function dropPublication(name: string, progress: readonly number[] = []): string {
  const unlinks = progress.map((oid) => `SELECT pg_catalog.lo_unlink(${oid}); `)
  return `${unlinks.join('')}DROP PUBLICATION IF EXISTS ${quoteIdentifier(name)}`
}
