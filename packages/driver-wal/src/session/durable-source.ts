import type { DriverHost, DurableSubscription, PlannedStatement } from '@rowtap/core/driver'
import { inlineParameters, RowtapError, Waiting } from '@rowtap/core/driver'
import type { ControlConnection } from '../connection/control-connection.ts'
import type { CoveredTable } from '../publication/coverage.ts'
import { uncoveredReasons } from '../publication/coverage.ts'
import type { DurableName } from '../publication/durable-name.ts'
import { durableName } from '../publication/durable-name.ts'
import type { DurablePublications } from '../publication/durable-publications.ts'
import { creationsOf, readPublications } from '../publication/durable-publications.ts'
import { dropPublications } from '../publication/ephemeral-publications.ts'
import type { KnownPartition } from '../publication/partition.ts'
import type { Published } from '../publication/publication-plan.ts'
import { textOf } from '../publication/transaction-statements.ts'
import type { Lsn } from '../replication/lsn.ts'
import { createSlotCommand } from '../replication/replication-sql.ts'
import { TimelineHistory } from '../replication/timeline-history.ts'
import { positionBefore } from '../replication/wal-position.ts'
import { removalOfProgress, removeProgress } from '../snapshot/saved-progress.ts'
import type { CaptureSource, Connections, PreparedSource, SourceGap } from './capture-source.ts'
import { AcknowledgementLimit, limitStatement, readLimit } from './acknowledgement-limit.ts'
import { createSlot } from './create-slot.ts'
import { knownPartitions } from './known-tables.ts'
import { positionLost, positionLostReason, strangeSlotReason } from './position-lost.ts'
import { DATABASE_OID, DROP_SLOT, TRY_LOCK_SUBSCRIPTION } from './session-sql.ts'
import { takeSubscription } from './subscription-lock.ts'
import type { RecalledSubscription } from './subscription-memory.ts'
import { memoryStatement, SubscriptionMemory } from './subscription-memory.ts'
import type { SubscriptionRecord } from './subscription-record.ts'
import type { IdleSlot } from './subscription-slot.ts'
import { idleSlot, readSlot, waitForSlotEnd } from './subscription-slot.ts'

const FIRST_VERSION_WITH_FAILOVER = 170_000

/**
 * The publications and the permanent slot of a subscription. Its lock comes first, and is held as long as the control
 * connection: whoever has it is the only one to look at the rest, or to change it.
 *
 * | slot | publications | then |
 * |---|---|---|
 * | none | none, or without tables, and this process captured nothing before | it begins: missing publications are made, then the slot |
 * | whole | both | it goes on |
 * | anything else | | its position is lost |
 *
 * @param failover whether standbys are to hold a copy of the slot.
 */
export function durableSource(subscription: DurableSubscription, failover: boolean, host: DriverHost): CaptureSource {
  const memory = new SubscriptionMemory()
  return {
    isDurable: true,
    async claim({ control, version, processIds }) {
      checkFailover(failover, version)
      await takeSubscription(control, {
        name: subscription.name,
        wait: subscription.wait,
        waiting: new Waiting(host),
        formerProcessIds: processIds,
      })
    },
    async prepare(connections) {
      const { control, former, history } = connections
      const name = await nameOf(control, subscription)
      const slot = await idleSlot(control, name.slot, new Waiting(host))
      const publications = await readPublications(control, name)
      const recalled = await memory.recall(control, name, history)
      const { record } = recalled
      const known = await readLimit(control, name)
      const lost = positionLostReason(slot, publications, { history, former, record })
      const strange = lost === null ? strangeSlotReason(slot, { history, former, recalled, limit: known }) : null
      const reason = lost ?? strange
      const beginning: Beginning = { name, failover, publications, memory }
      // Where a slot is that somebody moved or made anew does not tell from where on changes are missing.
      const end = strange === null ? (slot?.flushed ?? null) : endOf(record, history)
      if (reason !== null) return restart(connections, { ...beginning, subscription, end, reason })
      if (slot === null) return begin(connections, beginning)
      if (failover && !slot.isFailover) await connections.replication.enableFailover(name.slot)
      await memory.take(control, { name, server: history, host }, recalled)
      const limit = await newLimit(connections, { name, memory, start: slot.flushed })
      return {
        name,
        start: slot.flushed,
        tables: publications.tables.map((table) => ({ ...table, isInDoubt: isInDoubt(table, recalled) })),
        gap: null,
        uncovered: await uncoveredReasons(control, recalled.uncovered),
        ...knownOf(recalled),
        limit,
      }
    },
    // What a subscription has stays: it is to go on. Its slot is free, and can be removed, when this is done.
    async release(control, name) {
      await waitForSlotEnd(control, name.slot)
      const slot = await readSlot(control, name.slot)
      // Where somebody is in the way, the next start knows less.
      if (slot !== null) await memory.close(control, name, slot.flushed).catch(() => undefined)
    },
    memory: (control, name) => ({
      get since() {
        return memory.since
      },
      takingOut: (oids, returning) => memory.takingOut(control, { name, host }, oids, returning),
      settled: (tell) => memory.settle(control, { name, host }, tell),
      missing: (oid) => memory.missing(control, { name, host }, oid),
      known: (oid, partitions, member) =>
        memory.know(control, { name, host }, { oid, partitions, ...(member === null ? {} : { member }) }),
      told: (oid) => memory.told(oid),
      statement: memoryStatement(name),
    }),
    async plan(control, version) {
      checkFailover(failover, version)
      const name = await nameOf(control, subscription)
      const slot = await readSlot(control, name.slot)
      const publications = await readPublications(control, name)
      // Who plans has no connection that tells of timelines.
      const reason = positionLostReason(slot, publications, {
        history: TimelineHistory.first,
        former: null,
        record: null,
      })
      if (reason !== null && subscription.onPositionLost === 'stop') throw positionLost(name, reason)
      return {
        name,
        statements: planned(name, version, { slot: reason === null ? slot : null, publications, failover }),
      }
    },
  }
}

/** A limit that is written down. */
async function newLimit(
  { control, host, history: { timeline } }: Connections,
  { name, memory: { session }, start }: Pick<Beginning, 'name' | 'memory'> & Pick<PreparedSource, 'start'>,
): Promise<AcknowledgementLimit> {
  const limit = new AcknowledgementLimit({ control, host, name, session, timeline, start })
  // Where somebody is in the way, nothing is acknowledged until it can be.
  await limit.raise(start + 1n).catch(() => undefined)
  return limit
}

/** What holds of what is known of tables: that of which something was missed does not. */
function knownOf({ coverage, before, uncovered }: RecalledSubscription): Pick<PreparedSource, 'since' | 'partitions'> {
  const kept = (before ?? []).filter(({ oid }) => !uncovered.some(({ table }) => table.oid === oid))
  const partitionsOf = ({ oid, partitions }: CoveredTable): readonly KnownPartition[] =>
    knownPartitions(partitions, before?.find((table) => table.oid === oid)?.partitions ?? null)
  return {
    since: new Map(kept.map(({ oid, since }) => [oid, since])),
    partitions: new Map(coverage.tables.map((table) => [table.oid, partitionsOf(table)])),
  }
}

/** What is about to be changed is taken out of the record, and comes back into it when that is done and told. */
function isInDoubt({ oid }: Published, { record }: RecalledSubscription): boolean {
  return record !== null && !record.tables.some((table) => table.oid === oid)
}

interface Beginning {
  readonly name: DurableName
  readonly failover: boolean
  readonly publications: DurablePublications
  readonly memory: SubscriptionMemory
}

/** The publications before the slot: a slot does not see a publication that is younger. */
async function begin(
  connections: Connections,
  { name, failover, publications, memory }: Beginning,
): Promise<PreparedSource> {
  const { control, version, history, host } = connections
  const creations = creationsOf(name, publications, version)
  // How far snapshots were does not hold, also where this process ends before it says so.
  await removeProgress(control, name.publications.all)
  try {
    if (creations.length > 0) await control.transaction(textOf(creations))
    const start = await createSlot(connections, name.slot, failover ? 'failover' : 'permanent')
    const { coverage } = await memory.recall(control, name, history)
    const recalled: RecalledSubscription = { record: null, isOwn: false, coverage, before: null, uncovered: [] }
    await memory.take(control, { name, server: history, host }, recalled)
    const limit = await newLimit(connections, { name, memory, start })
    return { name, start, tables: publications.tables, gap: null, uncovered: [], ...knownOf(recalled), limit }
  } catch (error) {
    // The first error is the one to tell. What stays is no obstacle to the next start.
    if (publications.tables.length === 0) await removeAgain(control, name).catch(() => undefined)
    throw error
  }
}

/** The slot first: it may have come about although nobody waited for it, and without its publications it could not be read. */
async function removeAgain(control: ControlConnection, name: DurableName): Promise<void> {
  await waitForSlotEnd(control, name.slot)
  await control.query(DROP_SLOT, [name.slot])
  await dropPublications(control, name)
}

interface Restart extends Beginning {
  readonly subscription: DurableSubscription
  /** Up to where everything was acknowledged; `null`: not known. */
  readonly end: Lsn | null
  readonly reason: string
}

/** How far a session was that ended in good order, as a place in the log of this server; `null`: not known. */
function endOf(record: SubscriptionRecord | null, { systemId, timeline }: TimelineHistory): Lsn | null {
  if (record === null || record.systemId !== systemId || record.timeline !== timeline) return null
  return record.closedAt
}

/** A new slot from now on, in place of one that cannot go on. */
async function restart(connections: Connections, restarted: Restart): Promise<PreparedSource> {
  const { name, subscription, end, reason } = restarted
  const { control, history } = connections
  if (subscription.onPositionLost === 'stop') throw positionLost(name, reason)
  await control.query(DROP_SLOT, [name.slot])
  const prepared = await begin(connections, restarted)
  const gap: SourceGap = {
    from: end === null ? null : positionBefore(end, history),
    to: positionBefore(prepared.start, history),
    reason: `Subscription ${JSON.stringify(name.subscription)} begins anew: ${reason}`,
  }
  return { ...prepared, gap }
}

function planned(
  name: DurableName,
  version: number,
  state: {
    readonly slot: IdleSlot | null
    readonly publications: DurablePublications
    readonly failover: boolean
  },
): readonly PlannedStatement[] {
  const lock: PlannedStatement = {
    sql: inlineParameters(TRY_LOCK_SUBSCRIPTION, [name.subscription]),
    purpose: 'Makes this the only process with the subscription, for as long as it is connected; tried until it is.',
    table: null,
  }
  const written = [memoryStatement(name), limitStatement(name)]
  if (state.slot !== null) return [lock, ...written]
  return [
    lock,
    removalOfProgress(name),
    ...creationsOf(name, state.publications, version),
    {
      sql: createSlotCommand(name.slot, state.failover ? 'failover' : 'permanent'),
      purpose:
        'Makes the subscription’s slot, which stays and keeps the log from what is not handled on; waits for all older transactions to end.',
      table: null,
    },
    ...written,
  ]
}

async function nameOf(control: ControlConnection, subscription: DurableSubscription): Promise<DurableName> {
  const [row] = await control.query<'oid'>(DATABASE_OID)
  return durableName(subscription.name, Number(row?.oid))
}

function checkFailover(failover: boolean, version: number): void {
  if (!failover || version >= FIRST_VERSION_WITH_FAILOVER) return
  throw new RowtapError('ERR_SETUP_REQUIRED', {
    message: `failover needs PostgreSQL 17 or later, and the server is ${Math.floor(version / 10_000)}: leave the option out.`,
  })
}
