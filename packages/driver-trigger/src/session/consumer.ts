import type {
  CaptureRequest,
  ChangeBatch,
  DriverNotice,
  PlannedStatement,
  Position,
  TableName,
  TablePushdown,
} from '@rowtap/core/driver'
import { RowtapError } from '@rowtap/core/driver'
import { comparedEnums } from '../catalog/compared-enums.ts'
import { captureRefresh } from '../install/capture-refresh.ts'
import { captureAgain } from '../install/capture-table.ts'
import { captureWatch } from '../install/capture-watch.ts'
import { GrowingRest } from '../install/growing-rest.ts'
import { isGone, removeUnused } from '../install/uninstall.ts'
import { partitionTruncations } from '../queue/partition-truncations.ts'
import { pace } from '../queue/pace.ts'
import { queueLimit } from '../queue/queue-limit.ts'
import { boundaryPosition, positionParts } from '../queue/queue-position.ts'
import { shapeSource } from '../queue/shape-source.ts'
import { signalRelations } from '../queue/signal-relations.ts'
import type { Snapshot } from '../queue/snapshot.ts'
import { tickReader } from '../queue/tick-reader.ts'
import type { Tick } from '../queue/tick-source.ts'
import { tickSource } from '../queue/tick-source.ts'
import { startUpkeep } from '../queue/upkeep.ts'
import { wakeUp, wakeUpOptions } from '../queue/wake-up.ts'
import { objectNames } from '../row/object-names.ts'
import { REMEMBER_TRIGGERS } from '../sql/consumer-statements.ts'
import { CapturedTables } from './captured-tables.ts'
import type { ConsumerState } from './consumer-state.ts'
import { placeOf } from './consumer-state.ts'
import type { Link } from './link.ts'
import type { LinkOptions } from './open-link.ts'
import { placeLoss } from './place-loss.ts'
import { pushesDown } from './pushes-down.ts'
import { removeConsumer } from './remove-consumer.ts'

/** What a consumer works with. */
export interface ConsumerContext extends LinkOptions {
  readonly link: Link
  readonly state: ConsumerState
  /** Where the changes after its place were divided before, in order. */
  readonly noted: readonly Tick[]
}

/** A session's consumer, as long as one link lasts. */
export interface Consumer {
  /** Captures exactly these tables. */
  capture(requests: readonly CaptureRequest[]): Promise<Position>
  /** Captures again what is captured, as far as the database has forgotten it. Returns the position from which it is. */
  recapture(oids: readonly string[]): Promise<Position>
  /** The statements that capturing exactly these tables would run. */
  plan(requests: readonly CaptureRequest[]): Promise<readonly PlannedStatement[]>
  /** What the database would leave out of these tables. */
  pushdown(requests: readonly CaptureRequest[]): Promise<readonly TablePushdown[]>
  /** The changes after the last one that was delivered. Ends when the session is closed, or the link is lost: also by a failure of reading. */
  batches(): AsyncGenerator<ChangeBatch, void, undefined>
  /** Divides the changes now: what is visible in the snapshot comes before its boundary, everything else after. */
  cut(): Promise<Snapshot>
  /** Every change up to here was yielded, and the next batch asked for. */
  passed(): Position
  /** Stops, stores how far everything is handled, and removes what nobody uses. */
  close(): Promise<void>
  /** Stops at once. */
  abandon(): void
}

// From so many changes in one tick on, the next one is cut without a rest.
const manyChanges = 2000

/** Begins to read, where the one before it ended. */
export async function startConsumer(context: ConsumerContext): Promise<Consumer> {
  const { link, state, options, host, signal, noted } = context
  const { control, reader, server, columnTypes } = link
  const { id: consumer, era, tag } = state.registration
  const { progress, notices, names } = state
  const notify = (notice: DriverNotice): void => host.notify(notice)
  const isDurable = host.subscription !== null

  const ticks = tickSource({
    connection: reader,
    consumer,
    processId: control.processId,
    era,
    start: placeOf(state.registration),
    noted,
    delivered: state.delivered === null ? null : positionParts(state.delivered).ordinal,
    roots: [...state.wanted.keys()],
    commitTimes: server.commit_times,
    divided: (end) => {
      state.divided = end
    },
  })
  columnTypes.compare(comparedEnums(state.wanted, state.requests))
  const shapes = shapeSource(reader, columnTypes, link.relationOf, (root) => names.get(root))
  const shortNames = objectNames(reader, server.search_path)
  const repeated = state.delivered
  const signalRelation = signalRelations((root) => names.get(root))
  const truncations = partitionTruncations(
    (root) => names.get(root),
    (notice) => {
      const isTold = repeated !== null && notice.kind === 'gap' && notice.from !== null && notice.from <= repeated
      if (!isTold) notices.notify(notice)
    },
  )
  const alarm = await wakeUp(reader, wakeUpOptions(options, server))
  const looks = pace(options.pollMinMs, () => performance.now())
  const watch = captureWatch({
    connection: control,
    schema: options.schema,
    consumer,
    enableAlways: options.enableAlways,
    capture: async (oid, _, isUrgent) => {
      const { schema, enableAlways } = options
      await captureAgain(control, { schema, oid, enableAlways, pushesDown: pushesDown(context) }, isUrgent)
    },
    nameOf: (oid) => state.wanted.get(oid),
    notify,
    refusals: state.refusals,
    memory: state.memory,
    remember: async (versions) => {
      if (!isDurable) return
      await control.run(REMEMBER_TRIGGERS, [consumer, JSON.stringify(Object.fromEntries(versions))])
    },
  })
  const { refusals } = state
  const nameOf = (oid: string): TableName | undefined => state.wanted.get(oid)
  const refresh = captureRefresh({ connection: control, schema: options.schema, consumer, nameOf, refusals })
  /** Until when what others hold locks on, or PostgreSQL refuses to remove, is left; `null`: nothing is left. */
  let untidy: GrowingRest | null = null
  let unremoved: ReadonlyMap<string, string> = new Map()
  const limit = queueLimit({ connection: control, consumer, limit: options.queueLimit, notify })
  const tidy = async (): Promise<void> => {
    const rest = untidy ?? new GrowingRest()
    rest.begin()
    const left = await removeUnused({ connection: control, signal, attempts: 1, notify })
    untidy = left === null ? null : rest
    const refused = left?.refused ?? new Map<string, string>()
    for (const what of unremoved.keys()) if (!refused.has(what)) refusals.done(`remove ${what}`)
    for (const [what, message] of refused) refusals.refused(`remove ${what}`, message)
    unremoved = refused
  }
  const tables = new CapturedTables({ link, state, options, host, signal, tidy, watch })
  // A table that only a crashed consumer wanted may have kept its triggers.
  await tidy()
  // What was done to its triggers while nobody looked is told before they are made anew.
  if (state.memory.versions.size > 0) await watch()
  // Whether the session can go on, the next link finds out: what cancels a statement has ended this one only.
  const fail = async (error: unknown): Promise<void> => {
    const { schema } = options
    link.lose(isPlaceLost(error) ? await placeLoss(control, { schema, consumer, isLeased: upkeep.isLeased() }) : error)
  }
  const upkeep = startUpkeep({
    connection: control,
    consumer,
    leaseMs: isDurable ? null : options.leaseMs,
    progress,
    further: async () => {
      await watch()
      if (pushesDown(context)) await refresh()
      const hasLetGo = await limit()
      // What could not be removed because others held a lock on it.
      if (hasLetGo || untidy?.isOver === true) await tidy()
    },
    failed: (error) => void fail(error),
  })
  for (const ending of [signal, link.lostSignal]) ending.addEventListener('abort', () => alarm.wake(), { once: true })
  const isOver = (): boolean => signal.aborted || link.isLost

  const batchesOf = async function* (tick: Tick): AsyncGenerator<ChangeBatch, number, undefined> {
    let count = 0
    const nextBatch = tickReader(
      {
        connection: reader,
        consumer,
        tag,
        shapes,
        truncations,
        notices,
        names: shortNames,
        signalRelation,
        hasRows: (root) => state.parts.get(root)?.rows !== false,
        commitTimes: server.commit_times,
        isNamed: (root) => names.has(root),
      },
      tick,
      state.delivered,
    )
    for (let next = nextBatch(); ;) {
      const batch = await next
      if (batch === null) return count
      // One batch is read ahead. If that fails, it is when it is waited for.
      next = nextBatch()
      next.catch(() => {})
      if (batch.changes.length === 0) continue
      count += batch.changes.length
      state.delivered = batch.changes.at(-1)?.position ?? state.delivered
      yield batch
      if (isOver()) return count
    }
  }

  const read = async function* (): AsyncGenerator<ChangeBatch, void, undefined> {
    while (!isOver()) {
      const tick = await ticks.next()
      if (tick === null) {
        progress.nothingUntil(ticks.end())
        looks.nothing()
        await alarm.wait()
        continue
      }
      alarm.found()
      const startedAt = performance.now()
      const count = yield* batchesOf(tick)
      if (isOver()) return
      progress.delivered(tick.to, state.delivered)
      alarm.found()
      looks.found(count, performance.now() - startedAt)
      if (count < manyChanges) await alarm.wait(looks.restMs())
    }
  }

  const batches = async function* (): AsyncGenerator<ChangeBatch, void, undefined> {
    try {
      yield* read()
    } catch (error) {
      // Closing takes away what a read that is under way stands on.
      if (isOver()) return
      await fail(error)
    }
  }

  return {
    batches,
    capture: async (requests) => {
      const boundary = await tables.capture(requests, async (roots) => boundaryPosition(await ticks.cut(roots)))
      alarm.wake()
      return boundary
    },
    recapture: async (oids) => {
      await tables.recapture(oids)
      const boundary = boundaryPosition(await ticks.cut([...state.wanted.keys()]))
      alarm.wake()
      return boundary
    },
    plan: (planned) => tables.plan(planned),
    pushdown: (planned) => tables.pushdown(planned),
    cut: async () => {
      const snapshot = await ticks.cut()
      alarm.wake()
      return snapshot
    },
    passed: () => boundaryPosition(ticks.passed()),
    close: async () => {
      alarm.wake()
      if (isDurable) {
        await upkeep.finish()
        await alarm.end()
        return
      }
      await upkeep.stop()
      await removeConsumer(link, consumer, notify)
    },
    abandon: () => {
      void upkeep.stop()
      alarm.wake()
    },
  }
}

/** Only who thinks that nobody reads the queue removes it. */
function isPlaceLost(error: unknown): boolean {
  return isGone(error) || RowtapError.is(error, 'ERR_POSITION_LOST')
}
