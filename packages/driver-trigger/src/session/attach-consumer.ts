import type { Position } from '@rowtap/core/driver'
import { formatTableName, position } from '@rowtap/core/driver'
import type { Queries } from '../connection/connection.ts'
import type { Registration, ResumedRegistration } from '../install/install.ts'
import { install, resumeSubscription } from '../install/install.ts'
import { isWithin, WHOLE } from '../install/captured-part.ts'
import { checkParts } from '../install/lack-of-parts.ts'
import { forgetConsumer, isGone } from '../install/uninstall.ts'
import { handled } from '../queue/handled.ts'
import { boundaryPosition } from '../queue/queue-position.ts'
import type { Snapshot } from '../queue/snapshot.ts'
import { inEra, parseSnapshot } from '../queue/snapshot.ts'
import type { Tick } from '../queue/tick-source.ts'
import { FIND_TICKS, REMOVE_WANTED, RESUME_CONSUMER, WANTED_TABLES } from '../sql/consumer-statements.ts'
import type { ConsumerState } from './consumer-state.ts'
import { consumerState, placeOf } from './consumer-state.ts'
import { startConsumer } from './consumer.ts'
import type { Link } from './link.ts'
import type { LinkOptions } from './open-link.ts'
import type { WantedTable } from './lost-tables.ts'
import { gapOfTables } from './lost-tables.ts'
import { positionLost } from './position-lost.ts'
import { removeConsumer } from './remove-consumer.ts'

/**
 * Registers a session's consumer, or takes up its subscription. Installs the queue where it is missing, and removes what
 * crashed consumers left.
 *
 * @throws RowtapError
 */
export async function registerConsumer(context: LinkOptions, link: Link): Promise<ConsumerState> {
  const resumed = context.host.subscription === null ? null : await resumeConsumer(context, link)
  if (resumed !== null) return resumed
  const state = stateOf(context, await registration(context, link, 0))
  try {
    link.register(await startConsumer({ ...context, link, state, noted: [] }))
    return state
  } catch (error) {
    if (!link.isLost) await removeConsumer(link, state.registration.id, (notice) => context.host.notify(notice))
    throw error
  }
}

/**
 * Takes up a subscription where it ended; `null` where it has not begun yet.
 *
 * @throws RowtapError ERR_POSITION_LOST where it cannot go on, and is not to begin anew.
 */
export async function resumeConsumer(context: LinkOptions, link: Link): Promise<ConsumerState | null> {
  const { options, host } = context
  const { subscription } = host
  if (subscription === null) return null
  const found = await resumeSubscription(link.control, { ...options, subscription: subscription.name })
  if (found === null) return null
  const state = stateOf(context, found)
  const lost = await readWanted(link.control, state)
  const gone = lost.filter(({ name }) => name === null).map(({ oid }) => oid)
  const from = state.delivered ?? boundaryPosition(placeOf(found))
  if (found.dropped !== null) return await beginAnew(context, link, state, { from, reason: found.dropped })
  if (!found.isPast) {
    return await beginAnew(context, link, state, { from, reason: 'the server is at an earlier place than it.' })
  }
  link.register(await startConsumer({ ...context, link, state, noted: await readTicks(link.control, found) }))
  state.gap = gapOfTables(lost, from)
  if (gone.length > 0) await link.control.run(REMOVE_WANTED, [found.id, gone])
  return state
}

/**
 * Goes on with a consumer on another link: where it ended, if the queue still has everything since, and otherwise anew.
 *
 * @throws RowtapError ERR_POSITION_LOST where a subscription cannot go on, and is not to begin anew; ERR_SETUP_REQUIRED where a
 *   part of the queue was dropped.
 */
export async function attachAgain(
  context: LinkOptions,
  link: Link,
  state: ConsumerState,
  cause: string,
): Promise<void> {
  const { options } = context
  await checkParts(link.control, options.schema)
  const from = state.delivered ?? boundaryPosition(placeOf(state.registration))
  const found = await resumed(link, state, options)
  const noted = found === null ? [] : await readTicks(link.control, found)
  if (found === null || found.dropped !== null || !isWhole(state.divided, placeOf(found), noted)) {
    const isGoneOnly = found === null && context.host.subscription !== null
    const lost = isGoneOnly
      ? 'its place in the queue was removed, or the server is at an earlier one, or the queue was restored from a dump.'
      : `${cause} The queue did not wait.`
    const reason = found?.dropped ?? lost
    await beginAnew(context, link, state, { from, reason })
    return
  }
  state.registration = found
  if (found.acknowledged !== null) {
    // Another process may have had the subscription meanwhile.
    const acknowledged = position(found.acknowledged)
    state.progress.acknowledge(acknowledged)
    if (state.delivered === null || acknowledged > state.delivered) state.delivered = acknowledged
  }
  state.progress.resume(placeOf(found))
  const consumer = await startConsumer({ ...context, link, state, noted })
  const lacking = await lackingTables(link.control, state)
  if (lacking.length === 0) {
    link.register(consumer)
    return
  }
  const reason = 'Another process had the subscription, and captured less: changes until now may have been missed.'
  state.gap ??= { kind: 'gap', from: null, to: null, reason }
  const to = await consumer.recapture(lacking)
  state.gap = { ...state.gap, to }
  link.register(consumer)
}

/** The consumer, if it still holds its place in the same queue. */
async function resumed(
  link: Link,
  { registration: { id, tag } }: ConsumerState,
  { leaseMs, pooler }: LinkOptions['options'],
): Promise<ResumedRegistration | null> {
  try {
    const [row] = await link.control.rows<ResumedRegistration>(RESUME_CONSUMER, [
      id,
      leaseMs,
      tag,
      pooler === null ? 1 : 0,
    ])
    return row?.isPast === true ? row : null
  } catch (error) {
    if (isGone(error)) return null
    throw error
  }
}

/** Whether the database knows where the changes were divided last: a server that crashed may have forgotten it. */
function isWhole(divided: Snapshot | null, place: Snapshot, noted: readonly Tick[]): boolean {
  return divided === null || divided.ordinal <= place.ordinal || noted.some(({ to }) => to.ordinal === divided.ordinal)
}

/** A new place from now on, for the same tables. */
async function beginAnew(
  context: LinkOptions,
  link: Link,
  state: ConsumerState,
  { from, reason }: { readonly from: Position; readonly reason: string },
): Promise<ConsumerState> {
  const { subscription } = context.host
  if (subscription?.onPositionLost === 'stop') throw positionLost(subscription.name, reason)
  const { id, era } = state.registration
  await forgetConsumer(link.control, id).catch((error: unknown) => {
    if (!isGone(error)) throw error
  })
  state.registration = await registration(context, link, era + 1)
  state.progress = handled(placeOf(state.registration))
  state.divided = null
  state.memory.versions = new Map()
  const tables = [...state.wanted.values()].map(formatTableName).join(', ')
  const what =
    subscription === null ? reason : `Subscription ${JSON.stringify(subscription.name)} begins anew: ${reason}`
  const missed = `${what} Changes ${tables === '' ? '' : `of ${tables} `}until now were missed.`
  // It is told even where the link is lost before the rest is done.
  state.gap = { kind: 'gap', from, to: null, reason: missed }
  const consumer = await startConsumer({ ...context, link, state, noted: [] })
  const to = await consumer.recapture([...state.wanted.keys()])
  state.gap = { ...state.gap, to }
  link.register(consumer)
  return state
}

function registration({ options, host }: LinkOptions, { control }: Link, era: number): Promise<Registration> {
  return install(control, { ...options, subscription: host.subscription?.name ?? null, era })
}

function stateOf({ host }: LinkOptions, registered: Registration): ConsumerState {
  return consumerState(registered, (notice) => host.notify(notice))
}

/** Reads what a subscription has captured. Returns the tables that are gone, and those whose names are other tables' by now. */
async function readWanted(queries: Queries, state: ConsumerState): Promise<readonly WantedTable[]> {
  const rows = await queries.rows<WantedTable>(WANTED_TABLES, [state.registration.id])
  const wanted = new Map(state.wanted)
  const parts = new Map(state.parts)
  for (const { oid, schema, name, part, isInDoubt } of rows) {
    if (schema === null || name === null) continue
    wanted.set(oid, { schema, name })
    state.names.set(oid, { schema, name })
    state.unchecked.add(oid)
    parts.set(oid, part ?? WHOLE)
    state.kept.set(oid, part ?? WHOLE)
    if (!isInDoubt) state.inForce.set(oid, part ?? WHOLE)
  }
  state.wanted = wanted
  state.parts = parts
  return rows.filter(({ name, isReplaced }) => name === null || isReplaced)
}

/** The object ids of tables that are captured, as far as the database knows of less. Forgets what is not. */
async function lackingTables(
  queries: Queries,
  { wanted, parts, inForce, registration: { id } }: ConsumerState,
): Promise<string[]> {
  const rows = await queries.rows<WantedTable>(WANTED_TABLES, [id])
  // Where this session itself was about to capture more, it is asked to again.
  const isKnown = (oid: string): boolean =>
    rows.some(
      ({ oid: known, part, isInDoubt }) =>
        known === oid && isWithin(parts.get(oid) ?? WHOLE, part ?? WHOLE) && !(isInDoubt && inForce.has(oid)),
    )
  const extra = rows.map(({ oid }) => oid).filter((oid) => !wanted.has(oid))
  if (extra.length > 0) await queries.run(REMOVE_WANTED, [id, extra])
  return [...wanted.keys()].filter((oid) => !isKnown(oid))
}

/** Where a consumer divided the changes after its place. */
async function readTicks(queries: Queries, registered: Registration): Promise<readonly Tick[]> {
  const rows = await queries.texts('', FIND_TICKS, [registered.id])
  const ticks: Tick[] = []
  let from = placeOf(registered)
  for (const [snapshot, roots] of rows) {
    const to = inEra(parseSnapshot(snapshot ?? ''), registered.era)
    if (to.ordinal <= from.ordinal) continue
    const oids = roots === '{}' ? [] : (roots ?? '{}').slice(1, -1).split(',')
    ticks.push({ from, to, roots: oids, packed: null })
    from = to
  }
  return ticks
}
