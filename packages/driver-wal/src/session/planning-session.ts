import type { DriverHost, DriverSession, PlannedStatement } from '@rowtap/core/driver'
import { RowtapError } from '@rowtap/core/driver'
import { describeTable, readConstants } from '../catalog/describe-table.ts'
import type { Catalogue } from '../catalog/describe-table.ts'
import type { AttachedTables } from '../publication/attached-tables.ts'
import type { EphemeralName } from '../publication/ephemeral-name.ts'
import { publicationStatements } from '../publication/ephemeral-publications.ts'
import { Gate } from '../publication/gate.ts'
import { TableCapture } from '../publication/table-capture.ts'
import { createTemporarySlot, startReplication } from '../replication/replication-sql.ts'

/** What a planning session works with. */
export interface PlanningParts extends Catalogue {
  /** The name that a client would have. Another one has another. */
  readonly name: EphemeralName
  readonly version: number
  readonly attached: AttachedTables
  readonly host: DriverHost
}

/** A session without a slot and without publications, which tells what one with them would do. */
export function planningSession(parts: PlanningParts): DriverSession {
  const { control, name, attached, host } = parts
  const tables = new TableCapture({ control, host, name, attached, gate: new Gate() })
  let closed: Promise<void> | null = null
  return {
    describe: (table) => describeTable(parts, table),
    normalise: (constants) => readConstants(control, constants),
    plan: async (requests) => [...(await openingStatements(parts)), ...(await tables.plan(requests))],
    capture: () => Promise.reject(planOnly()),
    batches: () => ({ [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(planOnly()) }) }),
    acknowledge: () => {},
    close: () => {
      closed ??= control.end()
      return closed
    },
  }
}

/** What a session runs when it is opened, as things are now. */
async function openingStatements({ control, name, version }: PlanningParts): Promise<readonly PlannedStatement[]> {
  const { all, inserts } = name.publications
  return [
    ...(await publicationStatements(control, name, version)),
    {
      sql: createTemporarySlot(name.slot),
      purpose: 'Makes a slot that goes away with its replication connection; waits for all older transactions to end.',
      table: null,
    },
    {
      sql: startReplication(name.slot, [all, inserts]),
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
