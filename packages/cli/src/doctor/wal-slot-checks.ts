import type { WalHealth, WalOrphan, WalOwner, WalPublicationHealth, WalSlotHealth } from '@rowtap/driver-wal'

import { bytesText, durationText } from '../format/amount.ts'
import type { Check } from './check.ts'
import { checksOf } from './check.ts'

/** A slot that is full sooner than this is worth a word. */
const SOON_SECONDS = 24 * 3600

/** How every slot of ours stands, and what nobody uses. */
export function walSlotChecks({ slots, orphans, publications, clients, wal }: WalHealth): readonly Check[] {
  return [
    ...slots.map((slot) => {
      // What is wrong with an owner besides has a check of its own, with the statements.
      const unread = orphans.find(
        ({ slots: names, reason }) => names.includes(slot.name) && reason === 'nobody reads it',
      )
      const client = clients.find(({ owner }) => slot.isHere && ownerSubject(owner) === ownerSubject(slot.owner))
      return slotCheck(slot, {
        bytesPerSecond: wal.bytesPerSecond,
        removal: unread?.statements ?? [],
        holder: client?.processId ?? null,
      })
    }),
    ...orphans.flatMap((orphan) => orphanChecks(orphan, publications)),
  ]
}

interface SlotSurroundings {
  readonly bytesPerSecond: number | null
  /** What removes it, with its publications, where nobody uses it. */
  readonly removal: readonly string[]
  /** The server process of the client that is connected to use it; `null` where none is. */
  readonly holder: number | null
}

function slotCheck(slot: WalSlotHealth, { bytesPerSecond, removal, holder }: SlotSurroundings): Check {
  const { ok, warning, problem } = checksOf('wal', `slot ${slot.name}`)
  const whose = `${ownerText(slot.owner)}${slot.isHere ? '' : ` of database ${slot.database}`}`
  if (slot.walStatus === 'lost') {
    const why = slot.invalidationReason === null ? '' : ` (${slot.invalidationReason})`
    return problem(
      `${whose} lost its place${why}: what it did not read yet is gone. Remove it, or connect with onPositionLost: 'restart'.`,
      ...removal,
    )
  }
  if (slot.wasMoved) {
    return problem(
      `${whose} cannot go on: somebody moved its slot on, or made it again, and what was before is not read. Remove it, or connect with onPositionLost: 'restart'.`,
      ...removal,
    )
  }
  const reader = readerText(slot)
  const state = `${whose} is ${reader}; ${bytesText(slot.lagBytes ?? 0)} are not acknowledged, and the server keeps ${bytesText(slot.retainedBytes ?? 0)} of the log for it`
  if (slot.walStatus === 'unreserved') {
    const help = slot.isActive ? '' : ' Start its program, or remove it.'
    return problem(`${state}, more than max_slot_wal_keep_size allows: it is about to be lost.${help}`, ...removal)
  }
  const full = fullText(slot, bytesPerSecond)
  if (full !== null && slot.isActive) return warning(`${state}. ${full}`)
  if (full !== null) return problem(`${state}. ${full} Start its program, or remove it.`, ...removal)
  if (!slot.isActive && holder !== null) return warning(`${state}. Server process ${holder} is about to read it.`)
  if (!slot.isActive) {
    const limit = slot.safeWalBytes === null ? ', without a limit' : ''
    return warning(`${state}${limit}. If no program will read it again, remove it.`, ...removal)
  }
  return slot.walStatus === 'extended' ? warning(`${state}, more than max_wal_size.`) : ok(`${state}.`)
}

function readerText({ isActive, activePid, inactiveSince }: WalSlotHealth): string {
  if (isActive) return activePid === null ? 'read' : `read by server process ${activePid}`
  return inactiveSince === null ? 'read by nobody' : `read by nobody since ${inactiveSince.toISOString()}`
}

/** When the slot will be lost, where that is soon. */
function fullText({ fullInSeconds }: WalSlotHealth, bytesPerSecond: number | null): string | null {
  if (fullInSeconds === null || fullInSeconds > SOON_SECONDS || bytesPerSecond === null) return null
  return `At the present rate of ${bytesText(bytesPerSecond)} a second it is lost in ${durationText(fullInSeconds)}.`
}

function orphanChecks(
  { reason, owner, slots, publications, progress, statements }: WalOrphan,
  found: readonly WalPublicationHealth[],
): readonly Check[] {
  const { warning, problem } = checksOf('wal', ownerSubject(owner))
  const names = [...slots, ...publications].join(', ')
  switch (reason) {
    case 'slot without publications':
      return [
        problem(
          `Of its two publications ${publications.length === 0 ? 'both are' : 'one is'} gone, so that its slot cannot be read: ${names}. Remove it, or connect with onPositionLost: 'restart'.`,
          ...statements,
        ),
      ]
    case 'publications without slot':
      // Without a table it would begin as if it were new.
      if (found.every(({ name, tables }) => tables.length === 0 || !publications.includes(name)))
        return [warning(`It has no slot, and its publications serve nobody: ${names}.`, ...statements)]
      return [
        problem(
          `It cannot go on: its slot was dropped (or was left behind, where this database is a copy), and what it had not handled is gone. Connect with onPositionLost: 'restart', or remove what is left of it: ${names}.`,
          ...statements,
        ),
      ]
    case 'crashed client':
      return [
        warning(`It ended without tidying up, and left ${names}. The next client to start removes it.`, ...statements),
      ]
    case 'progress without publications':
      return [
        warning(
          `Nothing of it is there but how far its snapshots were, which holds keys of rows: large object ${progress.join(', ')}.`,
          ...statements,
        ),
      ]
    case 'nobody reads it':
      // Its slot says so.
      return []
  }
}

/** Whose it is, at a sentence's beginning. */
function ownerText(owner: WalOwner): string {
  return owner.kind === 'subscription' ? `Subscription ${owner.subscription}` : 'A client without a subscription'
}

function ownerSubject(owner: WalOwner): string {
  return owner.kind === 'subscription' ? `subscription ${owner.subscription}` : `client ${owner.digits}`
}
