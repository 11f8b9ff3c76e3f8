import { formatTableName, quoteIdentifier } from '@rowtap/core'
import type { InstallationContent, TriggerHealth, TriggerInstallation } from '@rowtap/driver-trigger'
import { uninstallStatements } from '@rowtap/driver-trigger'
import type { WalHealth, WalObject } from '@rowtap/driver-wal'
import { walObjects } from '@rowtap/driver-wal'

/** Something that rowtap put into a database. */
export type InstalledObject = InstalledByWal | InstalledByTrigger

interface Installed {
  readonly kind: string
  readonly name: string
  /** The subscription that it is for; `null` where it is for none, or for all. */
  readonly subscription: string | null
  /** What belongs to it and goes with it, in words; empty where nothing does. */
  readonly contents: string
  /** What removes it, in this order. */
  readonly statements: readonly string[]
  /** The server processes that use it. */
  readonly usedBy: readonly number[]
  /** Why the role cannot remove it; `null` where it can. */
  readonly obstacle: string | null
}

/** A slot, a publication, or what was kept of snapshots. */
export interface InstalledByWal extends Installed {
  readonly driver: 'wal'
  readonly object: WalObject
}

/** A queue, or one subscription's reader of a queue. */
export interface InstalledByTrigger extends Installed {
  readonly driver: 'trigger'
  readonly kind: 'change queue' | 'queue reader'
  readonly schema: string
}

/**
 * What rowtap put into a database, in the order in which it is to be removed.
 *
 * @param subscriptions only what is for these; empty: everything.
 */
export function installedObjects(
  wal: WalHealth,
  trigger: TriggerHealth,
  subscriptions: readonly string[],
): readonly InstalledObject[] {
  const byWal = walObjects(wal).map((object) => installedByWal(wal, object))
  const isWanted = ({ subscription }: Installed): boolean =>
    subscriptions.length === 0 || (subscription !== null && subscriptions.includes(subscription))
  const byTrigger = trigger.installations.flatMap((installation) =>
    subscriptions.length === 0 ? [wholeQueue(installation)] : queueReaders(installation),
  )
  return [...byWal, ...byTrigger].filter(isWanted)
}

function installedByWal({ publications, leftProgress, role }: WalHealth, object: WalObject): InstalledByWal {
  const publication = publications.find(({ name }) => object.kind === 'publication' && name === object.name)
  const progress = leftProgress.find(({ oid }) => object.kind === 'large object' && String(oid) === object.name)
  const owned = publication ?? progress
  return {
    driver: 'wal',
    kind: object.kind,
    name: object.name,
    subscription: object.owner.kind === 'subscription' ? object.owner.subscription : null,
    contents:
      progress === undefined
        ? (publication?.tables ?? []).map(formatTableName).join(', ')
        : 'how far its snapshots were',
    statements: object.statements,
    usedBy: object.usedBy,
    obstacle:
      owned === undefined || owned.isOwned
        ? null
        : `it belongs to the role ${owned.role}, and ${role.name} may not act as that role`,
    object,
  }
}

function wholeQueue({ schema, owner, content }: TriggerInstallation): InstalledByTrigger {
  return {
    driver: 'trigger',
    kind: 'change queue',
    name: schema,
    subscription: null,
    contents: content === null ? '' : capturedTables(content),
    statements: uninstallStatements(schema),
    usedBy: content === null ? [] : livingReaders(content, null),
    obstacle: content === null ? obstacleOf(owner) : null,
    schema,
  }
}

function queueReaders({ schema, content }: TriggerInstallation): readonly InstalledByTrigger[] {
  if (content === null) return []
  return content.consumers.flatMap(({ subscription }) =>
    subscription === null
      ? []
      : [
          {
            driver: 'trigger',
            kind: 'queue reader',
            name: `${schema}.${subscription}`,
            subscription,
            contents: '',
            statements: [
              `DELETE FROM ${quoteIdentifier(schema)}.consumer WHERE subscription = '${subscription.replaceAll("'", "''")}'`,
            ],
            usedBy: livingReaders(content, subscription),
            obstacle: null,
            schema,
          } as const,
        ],
  )
}

function capturedTables({ captured, abandoned }: InstallationContent): string {
  const tables = [...captured, ...abandoned.map(({ table }) => table)].map(formatTableName)
  return tables.length === 0 ? '' : `triggers on ${[...new Set(tables)].join(', ')}`
}

function livingReaders({ consumers }: InstallationContent, subscription: string | null): readonly number[] {
  return consumers.flatMap((consumer) =>
    consumer.isAlive && !consumer.isExpired && (subscription === null || consumer.subscription === subscription)
      ? [consumer.processId]
      : [],
  )
}

function obstacleOf(owner: string): string {
  return `it belongs to the role ${owner}, whose code would run as yours: connect as that role`
}
