import { inspectTrigger } from '@rowtap/driver-trigger'
import { inspectWal } from '@rowtap/driver-wal'

import { UsageError } from '../failure/usage-error.ts'
import type { Surroundings } from '../terminal/surroundings.ts'
import type { InstalledObject } from '../uninstall/installed-objects.ts'
import { installedObjects } from '../uninstall/installed-objects.ts'
import { objectLines, removalLine } from '../uninstall/object-lines.ts'
import type { Removal } from '../uninstall/remove-objects.ts'
import { removeObjects } from '../uninstall/remove-objects.ts'

/** What `rowtap uninstall` takes. */
export interface UninstallOptions {
  readonly url: string
  /** Only what is for these; empty: everything. */
  readonly subscriptions: readonly string[]
  /** Do not ask. */
  readonly yes: boolean
  /** Remove what is in use, too. */
  readonly force: boolean
  readonly json: boolean
}

/**
 * Lists what rowtap put into a database, asks, and removes it. What is in use stays unless `force` is set.
 *
 * @throws UsageError where it may not remove anything without being asked, and there is nobody to ask; RowtapError where
 *   the database cannot be looked at; Error where something is left that was to be removed.
 */
export async function uninstall(options: UninstallOptions, around: Surroundings): Promise<void> {
  const { url, json, force, yes, subscriptions } = options
  const { output, interrupted, messages } = around
  const found = await look(options, interrupted)
  if (found === null) return
  const stays = (object: InstalledObject): boolean => reasonToStay(object, force) !== null
  const removable = found.filter((object) => !stays(object))
  const lines = objectLines(found, subscriptions, (object) => reasonToStay(object, force))
  if (!json) for (const line of lines) await output.write(line)

  const isWanted = removable.length > 0 && (yes || (await mayRemove(options, removable.length, around)))
  if (interrupted.aborted) return
  const removals = isWanted
    ? await removeObjects(removable, {
        url,
        force,
        signal: interrupted,
        notify: (sentence) => void messages.write(sentence),
      })
    : []
  if (json) await output.write(JSON.stringify(report(found, removals, force)))
  else for (const removal of removals) await output.write(removalLine(removal))

  if (removable.length > 0 && !isWanted && around.ask === null) {
    throw new UsageError('nothing was removed: without a terminal to ask on, --yes is needed')
  }
  const left = [...found.filter(stays), ...removals.filter(({ reason }) => reason !== null)].length
  if (left > 0) throw new Error(`${left} of ${found.length} ${found.length === 1 ? 'object' : 'objects'} left`)
}

async function look(
  { url, subscriptions }: UninstallOptions,
  signal: AbortSignal,
): Promise<readonly InstalledObject[] | null> {
  try {
    const [wal, trigger] = await Promise.all([
      inspectWal({ connection: url, sampleMs: 0, signal }),
      inspectTrigger({ connection: url, signal }),
    ])
    return installedObjects(wal, trigger, subscriptions)
  } catch (error) {
    if (signal.aborted) return null
    throw error
  }
}

/** Why an object is not to be removed; `null` where it is. */
function reasonToStay({ obstacle, usedBy }: InstalledObject, force: boolean): string | null {
  if (obstacle !== null) return obstacle
  return usedBy.length === 0 || force ? null : `it is in use by server process ${usedBy.join(', ')}`
}

async function mayRemove({ json }: UninstallOptions, count: number, { ask }: Surroundings): Promise<boolean> {
  if (ask === null || json) return false
  return await ask(`Remove ${count === 1 ? 'it' : `these ${count}`}? [y/N] `)
}

/** What `--json` prints: every object, and what became of it. */
function report(found: readonly InstalledObject[], removals: readonly Removal[], force: boolean): object {
  return {
    objects: found.map((object) => {
      const { driver, kind, name, subscription, statements, usedBy } = object
      const removal = removals.find((one) => one.object === object)
      const reason = removal === undefined ? reasonToStay(object, force) : removal.reason
      const outcome = reason !== null ? 'left' : removal === undefined ? 'listed' : 'removed'
      return { driver, kind, name, subscription, statements, usedBy, outcome, reason }
    }),
  }
}
