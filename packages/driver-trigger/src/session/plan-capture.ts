import type { CaptureRequest, PlannedStatement, TableName, TablePushdown } from '@rowtap/core/driver'
import { inlineParameters } from '@rowtap/core/driver'
import { findTable, lackOfPrivilege } from '../catalog/find-table.ts'
import type { CapturedTable } from '../install/capture-table.ts'
import { captureAgain, captureOnce } from '../install/capture-table.ts'
import { captureWatch } from '../install/capture-watch.ts'
import type { WantedPart } from '../install/explain-pushdown.ts'
import { explainPushdown } from '../install/explain-pushdown.ts'
import { install } from '../install/install.ts'
import { planningConnection } from '../install/planning-connection.ts'
import type { CapturedPart } from '../install/captured-part.ts'
import { WHOLE } from '../install/captured-part.ts'
import { refusalNotices } from '../install/refusal-notices.ts'
import { removeUnused } from '../install/uninstall.ts'
import { wakeUp, wakeUpOptions } from '../queue/wake-up.ts'
import { CONFIRM_WANTED, FIND_SUBSCRIPTION, REMOVE_WANTED } from '../sql/consumer-statements.ts'
import type { FoundInstallation } from '../sql/install-statements.ts'
import { FIND_INSTALLATION } from '../sql/install-statements.ts'
import { TRY_LOCK_SUBSCRIPTION } from '../sql/subscription-statements.ts'
import type { LinkParts } from './link.ts'
import type { LinkOptions } from './open-link.ts'
import { pushesDown, wantedPart } from './pushes-down.ts'

/** What a plan works with. */
export type PlanContext = Pick<LinkOptions, 'options' | 'host' | 'signal'> & Pick<LinkParts, 'control' | 'server'>

/** What would change in what is captured. */
export interface PlannedChange {
  /** The consumer's number; `null`: it is not registered yet. */
  readonly consumer: string | null
  /** The tables that are new, by their object ids. */
  readonly added: ReadonlyMap<string, TableName>
  /** Those that go on being captured. */
  readonly kept: ReadonlyMap<string, TableName>
  /** The object ids of those that would not be captured any more. */
  readonly removed: readonly string[]
  /** Which part is wanted of those that are new or go on: all, where it does not say. */
  readonly parts: ReadonlyMap<string, CapturedPart>
  /** What every transaction is captured for on behalf of the consumer, where that is known. */
  readonly inForce: ReadonlyMap<string, CapturedPart>
}

/** The statements of a session that captures nothing yet. */
export async function planFirstCapture(
  context: PlanContext,
  requests: readonly CaptureRequest[],
): Promise<readonly PlannedStatement[]> {
  const { control, options, host } = context
  const added = new Map<string, TableName>()
  const parts = new Map<string, CapturedPart>()
  for (const request of requests) {
    const { table } = request
    const found = await findTable(control, options.schema, table)
    const lack = lackOfPrivilege(table, found)
    if (lack !== null) throw lack
    added.set(found.oid, table)
    parts.set(found.oid, wantedPart(context, request, found.content))
  }
  const consumer = host.subscription === null ? null : await findSubscription(context, host.subscription.name)
  const planned = await planCapture(context, {
    consumer,
    added,
    kept: new Map(),
    removed: [],
    parts,
    inForce: new Map(),
  })
  return host.subscription === null || !host.planOnly
    ? planned
    : [...locks(options.schema, host.subscription.name), ...planned]
}

/** What the database would leave out of tables for a session that captures nothing yet. */
export async function firstPushdown(
  context: Pick<PlanContext, 'control' | 'host' | 'options'>,
  requests: readonly CaptureRequest[],
): Promise<readonly TablePushdown[]> {
  const { control, options, host } = context
  const tables: WantedPart[] = []
  for (const request of requests) {
    const { oid, content } = await findTable(control, options.schema, request.table)
    tables.push({ oid, request, part: wantedPart(context, request, content) })
  }
  const consumer = host.subscription === null ? null : await findSubscription(context, host.subscription.name)
  return await explainPushdown(control, options, consumer, tables)
}

/** The number of a subscription's consumer; `null` where it has not begun yet. */
async function findSubscription({ control }: Pick<PlanContext, 'control'>, name: string): Promise<string | null> {
  const [installation] = await control.rows<FoundInstallation>(FIND_INSTALLATION)
  if (installation?.filled !== true || !installation.usable) return null
  const [found] = await control.rows<{ id: string }>(FIND_SUBSCRIPTION, [name])
  return found?.id ?? null
}

function locks(schema: string, subscription: string): readonly PlannedStatement[] {
  return ['control', 'reader'].map((part) => ({
    sql: inlineParameters(TRY_LOCK_SUBSCRIPTION.text(schema).trim(), [subscription, part]),
    purpose: 'Makes this the only process with the subscription, for as long as it is connected; tried until it is.',
    table: null,
  }))
}

/** The statements of one change: what captures runs here, too, on a connection that only writes statements down. */
export async function planCapture(context: PlanContext, change: PlannedChange): Promise<readonly PlannedStatement[]> {
  const { options, control, signal } = context
  const planning = planningConnection(control, options.schema, change.consumer !== null)
  const { connection } = planning
  const { schema, enableAlways } = options
  // Nothing is waited for, so there is nothing to tell.
  const tidy = (): Promise<unknown> => removeUnused({ connection, signal, attempts: 1, notify: () => {} })
  let { consumer } = change
  if (consumer === null) {
    consumer = (
      await install(connection, { ...options, subscription: context.host.subscription?.name ?? null, era: 0 })
    ).id
    await wakeUp(connection, wakeUpOptions(options, context.server))
    await tidy()
  }
  const registered = consumer
  const planned = (oid: string): CapturedTable => ({
    schema,
    consumer: registered,
    oid,
    enableAlways,
    part: change.parts.get(oid) ?? WHOLE,
    pushesDown: pushesDown(context),
    inForce: change.inForce.get(oid) ?? null,
  })
  for (const [oid, table] of change.added) {
    planning.about(table)
    const isInDoubt = await captureOnce(connection, planned(oid))
    if (isInDoubt) await connection.run(CONFIRM_WANTED, [registered, oid])
  }
  if (change.added.size > 0 && change.kept.size > 0) {
    const watch = captureWatch({
      connection,
      schema,
      consumer: registered,
      enableAlways,
      capture: async (oid, table, isUrgent) => {
        planning.about(table)
        await captureAgain(connection, planned(oid), isUrgent)
      },
      nameOf: (oid) => change.kept.get(oid),
      notify: () => {},
      refusals: refusalNotices(() => {}),
      memory: { told: new Set(), versions: new Map() },
      remember: () => Promise.resolve(),
    })
    await watch()
  }
  planning.about(null)
  if (change.removed.length > 0) {
    await connection.run(REMOVE_WANTED, [consumer, change.removed])
    await tidy()
  }
  return planning.statements
}
