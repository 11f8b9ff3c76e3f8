import type {
  CaptureRequest,
  ChangeBatch,
  ColumnTypeBook,
  DriverHost,
  PlannedStatement,
  Position,
  TableName,
} from '@rowtap/core/driver'
import { RowtapError } from '@rowtap/core/driver'
import { comparedEnums } from '../catalog/compared-enums.ts'
import { findTable, lackOfPrivilege } from '../catalog/find-table.ts'
import type { RelationOf } from '../catalog/relations.ts'
import type { Connection } from '../connection/connection.ts'
import { lossOf } from '../connection/connection.ts'
import { captureOnce, captureTable } from '../install/capture-table.ts'
import { captureWatch } from '../install/capture-watch.ts'
import type { Registration } from '../install/install.ts'
import { install } from '../install/install.ts'
import { forgetConsumer, isGone, removeUnused } from '../install/uninstall.ts'
import { handled } from '../queue/handled.ts'
import { orderedNotices } from '../queue/ordered-notices.ts'
import { partitionTruncations } from '../queue/partition-truncations.ts'
import { shapeSource } from '../queue/shape-source.ts'
import { parseSnapshot } from '../queue/snapshot.ts'
import { tickReader } from '../queue/tick-reader.ts'
import { leaseLost, tickSource } from '../queue/tick-source.ts'
import { startUpkeep } from '../queue/upkeep.ts'
import { wakeUp } from '../queue/wake-up.ts'
import { objectNames } from '../row/object-names.ts'
import { REMOVE_WANTED } from '../sql/consumer-statements.ts'
import type { Server } from './open-session.ts'
import { planCapture } from './plan-capture.ts'
import type { SessionOptions } from './trigger-session.ts'

/** What a consumer works with. */
export interface ConsumerContext {
  readonly options: SessionOptions
  readonly host: DriverHost
  readonly control: Connection
  readonly reader: Connection
  readonly server: Server
  /** Aborted when the session closes, or when its client waits no longer. */
  readonly signal: AbortSignal
  readonly columnTypes: ColumnTypeBook
  readonly relationOf: RelationOf
}

/** A session that is registered with the queue. */
export interface Consumer {
  /** Captures exactly these tables. */
  capture(requests: readonly CaptureRequest[]): Promise<Position>
  /** The statements that capturing exactly these tables would run. */
  plan(tables: readonly TableName[]): Promise<readonly PlannedStatement[]>
  /** The changes, from the moment of registration. */
  batches(): AsyncGenerator<ChangeBatch, void, undefined>
  acknowledge(position: Position): void
  /** Stops, and removes what nobody else uses. */
  close(): Promise<void>
}

// How often a close tries to remove what others hold locks on, before it leaves that to the next start.
const closeAttempts = 3

// From so many changes in one tick on, the next one is cut without a rest.
const manyChanges = 2000

/** Installs the queue where it is missing, removes what crashed consumers left, and registers a consumer. */
export async function openConsumer(context: ConsumerContext): Promise<Consumer> {
  const { control, options } = context
  const registration = await install(control, options.schema, options.leaseMs)
  try {
    return await startConsumer(context, registration)
  } catch (error) {
    await removeConsumer(context, registration.id)
    throw error
  }
}

/** Forgets a consumer, and removes what nobody else uses. */
async function removeConsumer({ control, host }: ConsumerContext, consumer: string): Promise<void> {
  try {
    await forgetConsumer(control, consumer)
    await removeUnused({
      connection: control,
      signal: new AbortController().signal,
      attempts: closeAttempts,
      notify: (notice) => host.notify(notice),
    })
  } catch (error) {
    // Whoever starts next removes what a lost connection leaves behind.
    if (!RowtapError.is(error, 'ERR_CONNECTION_LOST') && !isGone(error)) throw error
  }
}

async function startConsumer(context: ConsumerContext, registration: Registration): Promise<Consumer> {
  const { options, host, control, reader, server, signal, columnTypes, relationOf } = context
  const consumer = registration.id
  // What is captured, by the table's object id; and every name that a change may still have to be delivered under.
  let wanted = new Map<string, TableName>()
  const names = new Map<string, TableName>()

  const ticks = tickSource(reader, consumer, registration.place)
  const progress = handled(parseSnapshot(registration.place))
  const shapes = shapeSource(reader, columnTypes, relationOf, (root) => names.get(root))
  const shortNames = objectNames(reader, server.search_path)
  const notices = orderedNotices((notice) => host.notify(notice))
  const truncations = partitionTruncations(
    (root) => names.get(root),
    (notice) => notices.notify(notice),
  )
  const alarm = await wakeUp(reader, !server.prepared_transactions, options.pollMinMs, options.pollMaxMs)
  let failure: { readonly error: unknown } | null = null
  const fail = (error: unknown): void => {
    failure ??= { error }
    alarm.wake()
  }
  const watch = captureWatch({
    connection: control,
    schema: options.schema,
    consumer,
    enableAlways: options.enableAlways,
    capture: (oid) =>
      captureOnce(control, { schema: options.schema, consumer, oid, enableAlways: options.enableAlways }),
    nameOf: (oid) => wanted.get(oid),
    notify: (notice) => host.notify(notice),
  })
  let untidy = false
  const tidy = async (): Promise<void> => {
    untidy = !(await removeUnused({
      connection: control,
      signal,
      attempts: 1,
      notify: (notice) => host.notify(notice),
    }))
  }
  // A table that only a crashed consumer wanted may have kept its triggers.
  await tidy()
  const upkeep = startUpkeep({
    connection: control,
    consumer,
    leaseMs: options.leaseMs,
    place: () => progress.place(),
    further: async () => {
      await watch()
      // What could not be removed because others held a lock on it.
      if (untidy) await tidy()
    },
    failed: fail,
  })
  signal.addEventListener('abort', () => alarm.wake(), { once: true })
  for (const connection of [control, reader]) {
    connection.ended.addEventListener('abort', () => fail(lossOf(connection.ended)), { once: true })
  }
  /** The tables by object id. One that is captured already stays, even if its name has gone: it was dropped or renamed. */
  const find = async (tables: readonly TableName[]): Promise<Map<string, TableName>> => {
    const found = new Map<string, TableName>()
    for (const table of tables) {
      const captured = [...wanted].find(([, { schema, name }]) => schema === table.schema && name === table.name)
      try {
        const there = await findTable(control, options.schema, table)
        const lack = wanted.has(there.oid) ? null : lackOfPrivilege(table, there)
        if (lack !== null) throw lack
        found.set(there.oid, table)
      } catch (error) {
        if (captured === undefined || !RowtapError.is(error, 'ERR_SETUP_REQUIRED')) throw error
        found.set(captured[0], table)
      }
    }
    return found
  }

  const discard = async (oids: readonly string[]): Promise<void> => {
    if (oids.length === 0) return
    await control.run(REMOVE_WANTED, [consumer, oids])
    await tidy()
  }

  const capture = async (requests: readonly CaptureRequest[]): Promise<Position> => {
    const found = await find(requests.map(({ table }) => table))
    const added = [...found].filter(([oid]) => !wanted.has(oid))
    try {
      for (const [oid, table] of added) {
        await captureTable(control, {
          schema: options.schema,
          consumer,
          oid,
          enableAlways: options.enableAlways,
          table,
          signal,
          notify: (notice) => host.notify(notice),
        })
      }
    } catch (error) {
      if (!control.ended.aborted) await discard(added.map(([oid]) => oid))
      throw error
    }
    const removed = [...wanted.keys()].filter((oid) => !found.has(oid))
    wanted = found
    for (const [oid, table] of wanted) names.set(oid, table)
    columnTypes.compare(comparedEnums(found, requests))
    // What is altered from now on is noticed.
    if (added.length > 0) await watch()
    const boundary = await ticks.cut()
    alarm.wake()
    await discard(removed)
    return boundary
  }

  const plan = async (tables: readonly TableName[]): Promise<readonly PlannedStatement[]> => {
    const found = await find(tables)
    return await planCapture(context, {
      consumer,
      added: new Map([...found].filter(([oid]) => !wanted.has(oid))),
      kept: new Map([...found].filter(([oid]) => wanted.has(oid))),
      removed: [...wanted.keys()].filter((oid) => !found.has(oid)),
    })
  }

  const batches = async function* (): AsyncGenerator<ChangeBatch, void, undefined> {
    try {
      yield* read()
    } catch (error) {
      // Closing takes away what a read that is under way stands on.
      if (signal.aborted) return
      const cause = failure === null ? error : failure.error
      // Only who thinks that nobody reads the queue removes it.
      throw isGone(cause) ? leaseLost() : cause
    }
  }

  const read = async function* (): AsyncGenerator<ChangeBatch, void, undefined> {
    for (;;) {
      if (signal.aborted) return
      if (failure !== null) throw failure.error
      const tick = await ticks.next()
      if (tick === null) {
        progress.nothingUntil(ticks.end())
        await alarm.wait()
        continue
      }
      alarm.found()
      const startedAt = performance.now()
      let count = 0
      const nextBatch = tickReader(
        {
          connection: reader,
          consumer,
          tag: registration.tag,
          shapes,
          truncations,
          notices,
          names: shortNames,
          commitTimes: server.commit_times,
        },
        tick,
        [...wanted.keys()],
      )
      let last: Position | null = null
      for (let next = nextBatch(); ;) {
        const batch = await next
        if (batch === null) break
        // One batch is read ahead. If that fails, it is when it is waited for.
        next = nextBatch()
        next.catch(() => {})
        if (batch.changes.length === 0) continue
        last = batch.changes.at(-1)?.position ?? last
        count += batch.changes.length
        yield batch
        if (signal.aborted) return
      }
      progress.delivered(tick.to, last)
      // A look costs about the same whether there is one change or many.
      alarm.found()
      if (count < manyChanges) await alarm.wait(performance.now() - startedAt)
    }
  }

  return {
    capture,
    plan,
    batches,
    acknowledge: (position) => {
      progress.acknowledge(position)
      notices.acknowledge(position)
    },
    close: async () => {
      alarm.wake()
      await upkeep.stop()
      await removeConsumer(context, consumer)
    },
  }
}
