import { RowtapError, Waiting } from '@rowtap/core/driver'
import { databaseError, messageOf, sqlstateOf } from '../errors/database-error.ts'
import { BLOCKING } from '../publication/lock-sql.ts'
import type { Lsn } from '../replication/lsn.ts'
import type { SlotKind } from '../replication/replication-sql.ts'
import type { Connections } from './capture-source.ts'

const CONFIGURATION_LIMIT_EXCEEDED = '53400'
const TERMINATE = 'SELECT pg_terminate_backend($1::int4, 1000)'

/**
 * Makes the replication slot, and tells what it waits for: a slot begins where every older transaction, in
 * whichever database, has ended.
 *
 * @throws RowtapError
 */
export async function createSlot(
  { replication, control, host }: Pick<Connections, 'replication' | 'control' | 'host'>,
  slot: string,
  kind: SlotKind,
): Promise<Lsn> {
  const processId = await replication.processId()
  const made = Promise.withResolvers<Lsn>()
  let pending = true
  replication
    .createSlot(slot, kind)
    .then(made.resolve, made.reject)
    .finally(() => {
      pending = false
    })
  // It is waited for below; meanwhile its failure is not an unhandled one.
  made.promise.catch(() => undefined)
  try {
    const waiting = new Waiting(host)
    while (pending) {
      const rows = waiting.elapsedMs < 500 ? [] : await control.query<'pid'>(BLOCKING, [processId])
      const blocking = rows.map((row) => Number(row.pid))
      const prepared = blocking.includes(0) ? ' (some are prepared: see pg_prepared_xacts)' : ''
      await Promise.race([
        waiting.pause(
          `Waiting for older transactions to end${prepared}: the replication slot cannot begin before.`,
          blocking.filter((pid) => pid !== 0),
        ),
        made.promise,
      ])
    }
    return await made.promise
  } catch (error) {
    // The server's process does not notice that nobody waits for it any more.
    if (pending) await control.query(TERMINATE, [processId])
    throw slotError(error)
  }
}

function slotError(error: unknown): RowtapError {
  if (sqlstateOf(error) === CONFIGURATION_LIMIT_EXCEEDED) {
    return new RowtapError('ERR_SETUP_REQUIRED', {
      message: `The server has no replication slot free (${messageOf(error)}). Run: ALTER SYSTEM SET max_replication_slots = … with a higher number, and restart the server — or drop one that nothing needs any more: SELECT slot_name, active FROM pg_replication_slots`,
      retryable: true,
      cause: error,
    })
  }
  return databaseError(error, 'make a replication slot')
}
