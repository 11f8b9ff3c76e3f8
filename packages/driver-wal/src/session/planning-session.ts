import type { DriverHost, DriverSession, PlannedStatement } from '@rowtap/core/driver'
import { RowtapError } from '@rowtap/core/driver'
import { describeTable, readConstants } from '../catalog/describe-table.ts'
import type { Catalogue } from '../catalog/describe-table.ts'
import type { AttachedTables } from '../publication/attached-tables.ts'
import type { CaptureName } from '../publication/capture-name.ts'
import type { CoverageMemory } from '../publication/coverage.ts'
import type { PushdownSetting } from '../publication/explain-pushdown.ts'
import { explainPushdown } from '../publication/explain-pushdown.ts'
import { Gate } from '../publication/gate.ts'
import { TableCapture } from '../publication/table-capture.ts'
import { progressStatements } from '../snapshot/saved-progress.ts'
import { startReplication } from '../replication/replication-sql.ts'
import { TimelineHistory } from '../replication/timeline-history.ts'

/** What a planning session works with. */
export interface PlanningParts extends Catalogue {
  /** The name that a client would have. Another one without a subscription has another. */
  readonly name: CaptureName
  /** What would make, or find, the publications and the slot of that name. */
  readonly statements: readonly PlannedStatement[]
  readonly isStreaming: boolean
  /** Where what is captured would be written down; `null`: nowhere. */
  readonly memory: CoverageMemory | null
  readonly fullIdentity: boolean
  readonly pushdown: PushdownSetting
  readonly attached: AttachedTables
  readonly host: DriverHost
}

/** A session without a slot and without publications, which tells what one with them would do. */
export function planningSession(parts: PlanningParts): DriverSession {
  const { control, name, attached, host } = parts
  const tables = new TableCapture({
    control,
    host,
    name,
    history: TimelineHistory.first,
    memory: parts.memory,
    attached,
    gate: new Gate(),
    fullIdentity: parts.fullIdentity,
    pushesDown: parts.pushdown.isOn && parts.pushdown.isAble,
  })
  let closed: Promise<void> | null = null
  return {
    usesConditions: parts.pushdown.isOn,
    progressStatements: host.subscription === null ? [] : progressStatements(name),
    describe: (table) => describeTable(parts, table),
    normalise: (constants) => readConstants(control, constants),
    plan: async (requests) => [...openingStatements(parts), ...(await tables.plan(requests))],
    pushdown: async (requests) => explainPushdown(await tables.partsOf(requests), parts.pushdown),
    capture: () => Promise.reject(planOnly()),
    batches: () => ({ [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(planOnly()) }) }),
    acknowledge: () => {},
    close: () => {
      closed ??= control.end()
      return closed
    },
  }
}

/** What a session runs when it is opened. */
function openingStatements({ name, statements, isStreaming, host }: PlanningParts): readonly PlannedStatement[] {
  const { all, inserts } = name.publications
  return [
    ...statements,
    {
      sql: startReplication(name.slot, [all, inserts], { isStreaming, messages: host.messages }),
      purpose: 'Starts to stream the changes, on that connection.',
      table: null,
    },
  ]
}

function planOnly(): RowtapError {
  return new RowtapError('ERR_DRIVER_CONTRACT', {
    message: 'This session is there to plan only: open one without planOnly to capture.',
  })
}
