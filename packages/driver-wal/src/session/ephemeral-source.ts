import type { ControlConnection } from '../connection/control-connection.ts'
import type { CaptureName } from '../publication/capture-name.ts'
import type { EphemeralName } from '../publication/ephemeral-name.ts'
import { ephemeralName } from '../publication/ephemeral-name.ts'
import {
  createEphemeralPublications,
  dropPublications,
  publicationStatements,
  removeAbandonedPublications,
} from '../publication/ephemeral-publications.ts'
import { createSlotCommand } from '../replication/replication-sql.ts'
import type { CaptureSource, Connections, PreparedSource } from './capture-source.ts'
import { createSlot } from './create-slot.ts'
import { END_FORMER_CLIENT } from './session-sql.ts'
import { waitForSlotEnd } from './subscription-slot.ts'

/** Publications and a temporary slot of a session's own, under a new name for each pair of connections. */
export const ephemeralSource: CaptureSource = {
  isDurable: false,
  async prepare(connections: Connections): Promise<PreparedSource> {
    const { control, version, former, processIds } = connections
    const name = ephemeralName()
    if (former !== null) await control.query(END_FORMER_CLIENT, [[...processIds], former.name.slot])
    try {
      await removeAbandonedPublications(control)
      await createEphemeralPublications(control, name, version)
      const start = await createSlot(connections, name.slot, 'temporary')
      return { name, start, tables: [], gap: null, uncovered: [], since: new Map(), partitions: new Map(), limit: null }
    } catch (error) {
      // The first error is the one to tell. What cannot be removed now, the next start removes.
      await dropPublications(control, name).catch(() => undefined)
      throw error
    }
  },
  async release(control: ControlConnection, name: CaptureName): Promise<void> {
    await dropPublications(control, name)
    await waitForSlotEnd(control, name.slot)
  },
  async plan(control, version) {
    const name: EphemeralName = ephemeralName()
    return {
      name,
      statements: [
        ...(await publicationStatements(control, name, version)),
        {
          sql: createSlotCommand(name.slot, 'temporary'),
          purpose:
            'Makes a slot that goes away with its replication connection; waits for all older transactions to end.',
          table: null,
        },
      ],
    }
  },
}
