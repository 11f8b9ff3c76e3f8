import { RowtapError } from '@rowtap/core'
import { uninstallTrigger } from '@rowtap/driver-trigger'
import { uninstallWal } from '@rowtap/driver-wal'

import type { InstalledByTrigger, InstalledByWal, InstalledObject } from './installed-objects.ts'

/** What became of an object. */
export interface Removal {
  readonly object: InstalledObject
  /** Why it is still there; `null` where it is gone. */
  readonly reason: string | null
}

/** How objects are removed. */
export interface RemoveOptions {
  readonly url: string
  readonly force: boolean
  readonly signal: AbortSignal
  /** Hears of what is waited for. */
  readonly notify: (sentence: string) => void
}

/**
 * Removes objects, one after the other. What cannot be removed does not keep the rest.
 *
 * @throws RowtapError where the database cannot be reached any more.
 */
export async function removeObjects(
  objects: readonly InstalledObject[],
  options: RemoveOptions,
): Promise<readonly Removal[]> {
  const byWal = objects.filter((object): object is InstalledByWal => object.driver === 'wal')
  const removals: Removal[] = []
  if (byWal.length > 0) {
    const outcomes = await uninstallWal({
      connection: options.url,
      objects: byWal.map(({ object }) => object),
      force: options.force,
      signal: options.signal,
    })
    for (const [index, object] of byWal.entries()) {
      removals.push({ object, reason: outcomes[index]?.error?.message ?? null })
    }
  }
  for (const object of objects) {
    if (object.driver !== 'trigger') continue
    removals.push({ object, reason: await removeFromTrigger(object, options) })
  }
  return removals
}

async function removeFromTrigger(
  { schema, subscription }: InstalledByTrigger,
  { url, force, signal, notify }: RemoveOptions,
): Promise<string | null> {
  try {
    return await uninstallTrigger({
      connection: url,
      schema,
      force,
      signal,
      notify: (notice) => {
        if (notice.kind === 'wait') notify(`wait: ${notice.reason} (server process ${notice.processIds.join(', ')})`)
      },
      ...(subscription === null ? {} : { subscriptions: [subscription] }),
    })
  } catch (error) {
    if (!RowtapError.is(error) || error.code === 'ERR_CONNECTION_LOST') throw error
    return error.message
  }
}
