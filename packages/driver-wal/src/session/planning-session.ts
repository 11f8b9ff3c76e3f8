import type { DriverHost, DriverSession, PlannedStatement } from '@rowtap/core/driver'
import { RowtapError } from '@rowtap/core/driver'
import { describeTable, readConstants } from '../catalog/describe-table.ts'
import type { Catalogue } from '../catalog/describe-table.ts'
import type { AttachedTables } from '../publication/attached-tables.ts'
import type { CaptureName } from '../publication/capture-name.ts'
import { Gate } from '../publication/gate.ts'
import { TableCapture } from '../publication/table-capture.ts'
import { progressStatements } from '../snapshot/saved-progress.ts'
import { startReplication } from '../replication/replication-sql.ts'

/** What a planning session works with. */
export interface PlanningParts extends Catalogue {
  /** The name that a client would have. Another one without a subscription has another. */
  readonly name: CaptureName
  /** What would make, or find, the publications and the slot of that name. */
  readonly statements: readonly PlannedStatement[]
  readonly isStreaming: boolean
  readonly fullIdentity: boolean
  readonly filtersInserts: boolean
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
    attached,
    gate: new Gate(),
    fullIdentity: parts.fullIdentity,
    filtersInserts: parts.filtersInserts,
  })
  let closed: Promise<void> | null = null
  return {
    usesConditions: parts.filtersInserts,
    progressStatements: host.subscription === null ? [] : progressStatements(name),
    describe: (table) => describeTable(parts, table),
    normalise: (constants) => readConstants(control, constants),
    plan: async (requests) => [...openingStatements(parts), ...(await tables.plan(requests))],
    filteredTables: (requests) => tables.filtered(requests),
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
