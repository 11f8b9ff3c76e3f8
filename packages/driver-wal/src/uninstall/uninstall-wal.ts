import { RowtapError } from '@rowtap/core/driver'
import type { ControlConnection } from '../connection/control-connection.ts'
import { databaseError } from '../errors/database-error.ts'
import { openControl } from '../health/open-control.ts'
import { dropPublication } from '../health/orphans.ts'
import { isSameOwner } from '../health/owned-name.ts'
import { removeProgress } from '../snapshot/saved-progress.ts'
import type { WalDriverOptions } from '../wal-driver-options.ts'
import { takeOwnerLock } from './owner-lock.ts'
import { DROP_SLOT, END_SLOT_READER, UNLINK_LEFT_PROGRESS, UNLOCK_ALL } from './uninstall-sql.ts'
import type { WalObject } from './wal-objects.ts'

/** What is removed, and how. */
export interface UninstallWalOptions extends Pick<WalDriverOptions, 'connection'> {
  /** What to remove: some of what `walObjects` tells. */
  readonly objects: readonly WalObject[]
  /** Whether to disconnect whoever uses it. Default: no, what is in use stays. */
  readonly force?: boolean
  /** Gives up, as long as nothing is removed yet. */
  readonly signal?: AbortSignal
}

/** What became of one object. */
export interface WalRemoval {
  readonly object: WalObject
  /** Why it is still there; `null` where it is gone. */
  readonly error: RowtapError | null
}

/**
 * Removes slots, publications and large objects of ours. What cannot be removed does not keep the rest: each object's outcome is told,
 * in the order of `objects`. A client that is disconnected by force may connect again, and make anew what it needs: end
 * it first.
 *
 * @throws RowtapError ERR_CONNECTION_FAILED, ERR_AUTHENTICATION_FAILED, ERR_CONNECTION_LOST, ERR_ABORTED.
 */
export async function uninstallWal(options: UninstallWalOptions): Promise<readonly WalRemoval[]> {
  const { objects, force = false, signal = new AbortController().signal } = options
  const control = await openControl(options.connection, signal)
  try {
    const outcomes = new Map<WalObject, RowtapError | null>()
    for (const { owner } of objects) {
      const own = objects.filter((object) => !outcomes.has(object) && isSameOwner(object.owner, owner))
      if (own.length > 0) await removeAll(control, own, force, outcomes)
    }
    return objects.map((object) => ({ object, error: outcomes.get(object) ?? null }))
  } finally {
    await control.end()
  }
}

/** Removes what one owner has, slots first, and stops at the first thing that stays. */
async function removeAll(
  control: ControlConnection,
  objects: readonly WalObject[],
  force: boolean,
  outcomes: Map<WalObject, RowtapError | null>,
): Promise<void> {
  let failure: RowtapError | null = null
  for (const object of [...objects].sort((one, other) => rank(one) - rank(other))) {
    // Publications without their slot are an obstacle to nobody, but a slot without them could not be read any more.
    failure ??= await removeOne(control, object, force)
    outcomes.set(object, failure)
  }
  await control.query(UNLOCK_ALL)
}

function rank({ kind }: WalObject): number {
  return kind === 'replication slot' ? 0 : 1
}

/** Why an object is still there; `null` where it is gone. */
async function removeOne(control: ControlConnection, object: WalObject, force: boolean): Promise<RowtapError | null> {
  try {
    if (!(await takeOwnerLock(control, object.owner, force))) return inUse(object)
    if (object.kind === 'publication') {
      await removeProgress(control, object.name)
      for (const statement of dropPublication(object.name)) await control.query(statement)
      return null
    }
    if (object.kind === 'large object') {
      await control.query(UNLINK_LEFT_PROGRESS, [object.name])
      return null
    }
    if (force) await control.query(END_SLOT_READER, [object.name])
    await control.query(DROP_SLOT, [object.name])
    return null
  } catch (error) {
    const told = databaseError(error, `remove ${object.kind} ${object.name}`)
    if (told.code === 'ERR_CONNECTION_LOST') throw told
    return told
  }
}

function inUse({ kind, name }: WalObject): RowtapError {
  return new RowtapError('ERR_SUBSCRIPTION_IN_USE', {
    message: `The ${kind} ${name} is in use, and stays.`,
    retryable: true,
  })
}
