import type { PlannedStatement, TableName } from '@rowtap/core/driver'
import { findTable, lackOfPrivilege } from '../catalog/find-table.ts'
import { captureOnce } from '../install/capture-table.ts'
import { captureWatch } from '../install/capture-watch.ts'
import { install } from '../install/install.ts'
import { planningConnection } from '../install/planning-connection.ts'
import { removeUnused } from '../install/uninstall.ts'
import { wakeUp } from '../queue/wake-up.ts'
import { REMOVE_WANTED } from '../sql/consumer-statements.ts'
import type { ConsumerContext } from './consumer.ts'

/** What a plan works with. */
export type PlanContext = Pick<ConsumerContext, 'options' | 'control' | 'server' | 'signal'>

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
}

/** The statements of a session that captures nothing yet. */
export async function planFirstCapture(
  context: PlanContext,
  tables: readonly TableName[],
): Promise<readonly PlannedStatement[]> {
  const added = new Map<string, TableName>()
  for (const table of tables) {
    const found = await findTable(context.control, context.options.schema, table)
    const lack = lackOfPrivilege(table, found)
    if (lack !== null) throw lack
    added.set(found.oid, table)
  }
  return await planCapture(context, { consumer: null, added, kept: new Map(), removed: [] })
}

/** The statements of one change: what captures runs here, too, on a connection that only writes statements down. */
export async function planCapture(context: PlanContext, change: PlannedChange): Promise<readonly PlannedStatement[]> {
  const { options, control, signal } = context
  const planning = planningConnection(control, options.schema)
  const { connection } = planning
  const { schema, enableAlways } = options
  // Nothing is waited for, so there is nothing to tell.
  const tidy = (): Promise<boolean> => removeUnused({ connection, signal, attempts: 1, notify: () => {} })
  let { consumer } = change
  if (consumer === null) {
    consumer = (await install(connection, options.schema, options.leaseMs)).id
    await wakeUp(connection, !context.server.prepared_transactions, options.pollMinMs, options.pollMaxMs)
    await tidy()
  }
  const registered = consumer
  for (const [oid, table] of change.added) {
    planning.about(table)
    await captureOnce(connection, { schema, consumer: registered, oid, enableAlways })
  }
  if (change.added.size > 0 && change.kept.size > 0) {
    const watch = captureWatch({
      connection,
      schema,
      consumer: registered,
      enableAlways,
      capture: async (oid, table) => {
        planning.about(table)
        await captureOnce(connection, { schema, consumer: registered, oid, enableAlways })
      },
      nameOf: (oid) => change.kept.get(oid),
      notify: () => {},
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
