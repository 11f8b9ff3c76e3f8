import type { Position } from '@rowtap/core/driver'
import { openConnection } from '../connection/connection.ts'
import type { Consumer } from '../session/consumer.ts'
import type { ConsumerState } from '../session/consumer-state.ts'
import type { Link } from '../session/link.ts'
import type { LinkOptions } from '../session/open-link.ts'
import { saveProgress } from './saved-progress.ts'
import { TriggerSnapshots } from './trigger-snapshots.ts'

/** What the snapshots of a session take from it. */
export interface SessionSnapshotsParts {
  readonly context: LinkOptions
  /** What the role's own sessions look names up in. */
  readonly searchPath: string
  /** How far the subscription's snapshots were; `null` where nothing is known of that. */
  readonly resumed: string | null
  /** The newest link that is not known to be lost. */
  readonly link: () => Promise<Link>
  /** Runs a call on a link that lasts until it is done. */
  readonly untilDone: <T>(call: (link: Link) => Promise<T>) => Promise<T>
  /** The consumer of a link, registered where there was none yet. */
  readonly consumerOf: (link: Link) => Promise<Consumer>
  readonly state: () => ConsumerState | null
  readonly passed: () => Position | null
}

/** The snapshots of a session, over one link after another. */
export function sessionSnapshots(parts: SessionSnapshotsParts): TriggerSnapshots {
  const { context, searchPath, resumed, link, untilDone, consumerOf, state, passed } = parts
  const { options, host, signal } = context
  return new TriggerSnapshots({
    schema: options.schema,
    types: options.types,
    searchPath,
    signal,
    resumed,
    connect: () => openConnection(options, signal),
    link,
    notify: (notice) => host.notify(notice),
    oidOf: (table) => {
      const captured = [...(state()?.wanted ?? [])].find(
        ([, { schema, name }]) => schema === table.schema && name === table.name,
      )
      return captured?.[0] ?? null
    },
    cut: () => untilDone(async (current) => (await consumerOf(current)).cut()),
    passed,
    saveProgress: (text) =>
      untilDone(async (current) => {
        await consumerOf(current)
        const registered = state()?.registration
        if (registered !== undefined) await saveProgress(current.control, registered.id, text)
      }),
  })
}
