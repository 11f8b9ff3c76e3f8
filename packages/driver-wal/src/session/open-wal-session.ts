import type { DriverHost, DriverSession } from '@rowtap/core/driver'
import { reconnectPolicy, RowtapError } from '@rowtap/core/driver'
import pg from 'pg'
import { RelationRegistry } from '../catalog/relation-registry.ts'
import { readTableByOid } from '../catalog/table-facts.ts'
import { clientConfig } from '../connection/client-config.ts'
import { databaseError } from '../errors/database-error.ts'
import type { AttachedTable } from '../publication/attached-tables.ts'
import { AttachedTables } from '../publication/attached-tables.ts'
import { pushdownSetting } from '../publication/explain-pushdown.ts'
import { Gate } from '../publication/gate.ts'
import type { Published } from '../publication/publication-plan.ts'
import { checkSpillDirectory } from '../replication/streaming/streaming-options.ts'
import { positionBefore } from '../replication/wal-position.ts'
import type { KeptProgress } from '../snapshot/saved-progress.ts'
import { readProgress } from '../snapshot/saved-progress.ts'
import type { WalDriverOptions } from '../wal-driver-options.ts'
import { durableSource } from './durable-source.ts'
import { ephemeralSource } from './ephemeral-source.ts'
import type { Link } from './link.ts'
import type { LinkOptions } from './open-link.ts'
import { connectControl, controlConnection, openLink } from './open-link.ts'
import { planningSession } from './planning-session.ts'
import { WalSession } from './wal-session.ts'

/**
 * Connects, checks, and starts to stream: with empty publications, or with what the subscription had. What it made is
 * removed again when it fails.
 *
 * @throws RowtapError
 */
export async function openWalSession(options: WalDriverOptions, host: DriverHost): Promise<DriverSession> {
  const ending = new AbortController()
  const sessionHost: DriverHost = {
    subscription: host.subscription,
    planOnly: host.planOnly,
    messages: host.messages,
    signal: AbortSignal.any([host.signal, ending.signal]),
    notify: (notice) => host.notify(notice),
  }
  const { failover = false } = options
  if (failover && host.subscription === null) {
    throw new RowtapError('ERR_INVALID_OPTIONS', {
      message: `walDriver: failover is for clients with a subscription: a slot that goes with its client has no copy on standbys.`,
    })
  }
  if (host.messages && options.streaming === 'on') {
    throw new RowtapError('ERR_INVALID_OPTIONS', {
      message: `walDriver: messages cannot be had with streaming: 'on': of a large transaction PostgreSQL does not say whether a message was rolled back to a savepoint. Leave out one of the two.`,
    })
  }
  const link: LinkOptions = {
    config: clientConfig(options.connection),
    driver: options,
    host: sessionHost,
    source: host.subscription === null ? ephemeralSource : durableSource(host.subscription, failover, sessionHost),
    attached: new AttachedTables(),
    gate: new Gate(),
    processIds: new Set(),
  }
  if (host.planOnly) return openPlanningSession(link)
  await checkSpillDirectory(options)
  const first = await openLink(link, null)
  const progress = await attachResumed(link, first)
  const { gap, start, uncovered } = first.prepared
  if (gap !== null) host.notify({ kind: 'gap', ...gap })
  const from = positionBefore(start, first.inFlight.history)
  for (const {
    table: { schema, name },
    reason,
  } of uncovered)
    host.notify({ kind: 'gap', from, to: null, tables: [{ schema, name }], reason })
  return new WalSession(first, { link, policy: reconnectPolicy('walDriver', options.reconnect), ending, progress })
}

/**
 * The tables that a subscription captured before are attached as they are now.
 *
 * @returns how far its snapshots were; `null` where that does not hold any more.
 */
async function attachResumed({ attached, source }: LinkOptions, link: Link): Promise<KeptProgress | null> {
  try {
    const tables: AttachedTable[] = []
    for (const table of link.prepared.tables) tables.push(...(await attachedTable(link, table)))
    attached.name(tables)
    attached.replace(tables)
    for (const { oid, membership } of link.prepared.tables) {
      if (!attached.memberships.knows(oid)) attached.memberships.isAnother(oid, membership)
    }
    const { gap, name } = link.prepared
    return source.isDurable && gap === null ? await readProgress(link.control, name) : null
  } catch (error) {
    await link.abandon()
    throw databaseError(error, 'look up what the subscription captured')
  }
}

/** None where the table was dropped meanwhile. */
async function attachedTable({ control, prepared }: Link, { oid, kind }: Published): Promise<readonly AttachedTable[]> {
  const facts = await readTableByOid(control, oid)
  if (facts === null) return []
  const partitions = prepared.partitions.get(oid)
  const known = partitions === undefined ? {} : { partitions }
  return [{ oid, table: { schema: facts.schema, name: facts.name }, kind, facts, ...known }]
}

async function openPlanningSession(link: LinkOptions): Promise<DriverSession> {
  const control = controlConnection(link.config)
  try {
    const version = await connectControl(control, link)
    const relations = new RelationRegistry(control, link.driver.types ?? pg.types, link.attached)
    const { name, statements } = await link.source.plan(control, version)
    const isStreaming = link.driver.streaming === 'on'
    return planningSession({
      control,
      relations,
      attached: link.attached,
      host: link.host,
      name,
      statements,
      isStreaming,
      memory: link.source.memory?.(control, name) ?? null,
      fullIdentity: link.driver.replicaIdentity === 'full',
      pushdown: pushdownSetting(link.driver, version),
    })
  } catch (error) {
    await control.end()
    throw databaseError(error, 'plan what to capture')
  }
}
