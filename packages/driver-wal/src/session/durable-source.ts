import type { DurableSubscription, PlannedStatement } from '@rowtap/core/driver'
import { inlineParameters, RowtapError } from '@rowtap/core/driver'
import type { ControlConnection } from '../connection/control-connection.ts'
import type { DurableName } from '../publication/durable-name.ts'
import { durableName } from '../publication/durable-name.ts'
import type { DurablePublications } from '../publication/durable-publications.ts'
import { creationsOf, readPublications } from '../publication/durable-publications.ts'
import { dropPublications } from '../publication/ephemeral-publications.ts'
import { textOf } from '../publication/transaction-statements.ts'
import { createSlotCommand } from '../replication/replication-sql.ts'
import { positionBefore } from '../replication/wal-position.ts'
import type { CaptureSource, Connections, PreparedSource, SourceGap } from './capture-source.ts'
import { createSlot } from './create-slot.ts'
import { positionLost, positionLostReason } from './position-lost.ts'
import { DATABASE_OID, DROP_SLOT, TRY_LOCK_SUBSCRIPTION } from './session-sql.ts'
import { takeSubscription } from './subscription-lock.ts'
import type { IdleSlot } from './subscription-slot.ts'
import { idleSlot, readSlot, waitForSlotEnd } from './subscription-slot.ts'
import { Waiting } from './waiting.ts'

const FIRST_VERSION_WITH_FAILOVER = 170_000

/**
 * The publications and the permanent slot of a subscription. Its lock comes first, and is held as long as the control
 * connection: whoever has it is the only one to look at the rest, or to change it.
 *
 * | slot | publications | then |
 * |---|---|---|
 * | none | none, or without tables | it begins: missing publications are made, then the slot |
 * | whole | both | it goes on |
 * | anything else | | its position is lost |
 *
 * @param failover whether standbys are to hold a copy of the slot.
 */
export function durableSource(subscription: DurableSubscription, failover: boolean): CaptureSource {
  return {
    isDurable: true,
    async prepare(connections) {
      const { control, version, host, former } = connections
      checkFailover(failover, version)
      await takeSubscription(control, {
        name: subscription.name,
        wait: subscription.wait,
        waiting: new Waiting(host),
        formerProcessIds: connections.processIds,
      })
      const name = await nameOf(control, subscription)
      const slot = await idleSlot(control, name.slot, new Waiting(host))
      const publications = await readPublications(control, name)
      const reason = positionLostReason(slot, publications, former?.cause)
      if (reason !== null) return restart(connections, { name, subscription, failover, slot, publications, reason })
      if (slot === null) return begin(connections, { name, failover, publications })
      if (failover && !slot.isFailover) await connections.replication.enableFailover(name.slot)
      return { name, start: slot.flushed, tables: publications.tables, gap: null }
    },
    // What a subscription has stays: it is to go on. Its slot is free, and can be removed, when this is done.
    release: (control, name) => waitForSlotEnd(control, name.slot),
    async plan(control, version) {
      checkFailover(failover, version)
      const name = await nameOf(control, subscription)
      const slot = await readSlot(control, name.slot)
      const publications = await readPublications(control, name)
      const reason = positionLostReason(slot, publications)
      if (reason !== null && subscription.onPositionLost === 'stop') throw positionLost(name, reason)
      return {
        name,
        statements: planned(name, version, { slot: reason === null ? slot : null, publications, failover }),
      }
    },
  }
}

interface Beginning {
  readonly name: DurableName
  readonly failover: boolean
  readonly publications: DurablePublications
}

/** The publications before the slot: a slot does not see a publication that is younger. */
async function begin(connections: Connections, { name, failover, publications }: Beginning): Promise<PreparedSource> {
  const { control, version } = connections
  const creations = creationsOf(name, publications, version)
  try {
    if (creations.length > 0) await control.transaction(textOf(creations))
    const start = await createSlot(connections, name.slot, failover ? 'failover' : 'permanent')
    return { name, start, tables: publications.tables, gap: null }
  } catch (error) {
    // The first error is the one to tell. Empty publications without a slot are no obstacle to the next start.
    if (publications.tables.length === 0) await dropPublications(control, name).catch(() => undefined)
    throw error
  }
}

interface Restart extends Beginning {
  readonly subscription: DurableSubscription
  readonly slot: IdleSlot | null
  readonly reason: string
}

/** A new slot from now on, in place of one that cannot go on. */
async function restart(connections: Connections, restarted: Restart): Promise<PreparedSource> {
  const { name, subscription, slot, reason } = restarted
  if (subscription.onPositionLost === 'stop') throw positionLost(name, reason)
  await connections.control.query(DROP_SLOT, [name.slot])
  const prepared = await begin(connections, restarted)
  const gap: SourceGap = {
    from: slot === null ? null : positionBefore(slot.flushed),
    to: positionBefore(prepared.start),
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
  if (state.slot !== null) return [lock]
  return [
    lock,
    ...creationsOf(name, state.publications, version),
    {
      sql: createSlotCommand(name.slot, state.failover ? 'failover' : 'permanent'),
      purpose:
        'Makes the subscription’s slot, which stays and keeps the log from what is not handled on; waits for all older transactions to end.',
      table: null,
    },
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
