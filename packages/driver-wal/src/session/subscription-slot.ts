import { setTimeout as sleep } from 'node:timers/promises'
import { RowtapError } from '@rowtap/core/driver'
import type { ControlConnection, TextRow } from '../connection/control-connection.ts'
import type { Lsn } from '../replication/lsn.ts'
import { parseLsn } from '../replication/lsn.ts'
import { END_SLOT_READER, SLOT } from './session-sql.ts'
import type { Waiting } from '@rowtap/core/driver'

/** How long a process that reads the slot of a client that is gone may take to notice, in milliseconds. */
const NOTICE_MS = 500

/** How often the end of a slot's reader is looked for, in milliseconds, and how many times before it is brought about. */
const LOOK_MS = 10
const LOOKS = 100

/** A subscription's slot, which nobody reads. */
export interface IdleSlot {
  /** Everything before this place is handled. */
  readonly flushed: Lsn
  /** Why the log that it needs is gone; `null` where it is there. */
  readonly lost: string | null
  readonly isFailover: boolean
}

type Column = 'type' | 'plugin' | 'here' | 'pid' | 'flushed' | 'status' | 'reason' | 'failover'

/**
 * The slot of a subscription whose lock we have; `null` where there is none. Whoever still reads it lost its lock, and is
 * ended where that takes long.
 *
 * @throws RowtapError ERR_SETUP_REQUIRED where somebody made a slot of this name for something else; ERR_ABORTED.
 */
export async function idleSlot(control: ControlConnection, name: string, waiting: Waiting): Promise<IdleSlot | null> {
  const since = performance.now()
  for (;;) {
    const [row] = await control.query<Column>(SLOT, [name])
    if (row === undefined) return null
    if (row.pid === null) return slotOf(name, row)
    checkOurs(name, row)
    if (performance.now() - since > NOTICE_MS) await control.query(END_SLOT_READER, [row.pid, name])
    await waiting.pause(`Waiting for replication slot ${name}, which the process before this one still reads.`, [
      Number(row.pid),
    ])
  }
}

/**
 * The slot of a subscription as it is, whoever reads it; `null` where there is none.
 *
 * @throws RowtapError ERR_SETUP_REQUIRED where somebody made a slot of this name for something else.
 */
export async function readSlot(control: ControlConnection, name: string): Promise<IdleSlot | null> {
  const [row] = await control.query<Column>(SLOT, [name])
  return row === undefined ? null : slotOf(name, row)
}

/** Waits until nobody reads a slot any more, or it is gone. Its process ends a little later than its connection. */
export async function waitForSlotEnd(control: ControlConnection, name: string): Promise<void> {
  for (let looks = 1; ; looks += 1) {
    const [row] = await control.query<Column>(SLOT, [name])
    if (row === undefined || row.pid === null) return
    if (looks === LOOKS) await control.query(END_SLOT_READER, [row.pid, name])
    await sleep(LOOK_MS)
  }
}

function slotOf(name: string, row: TextRow<Column>): IdleSlot {
  checkOurs(name, row)
  return {
    flushed: parseLsn(row.flushed ?? '0/0'),
    lost: row.status === 'lost' ? (row.reason ?? 'wal_removed') : row.reason,
    isFailover: row.failover === 'true',
  }
}

function checkOurs(name: string, { type, plugin, here }: TextRow<Column>): void {
  if (type === 'logical' && plugin === 'pgoutput' && here === 't') return
  throw new RowtapError('ERR_SETUP_REQUIRED', {
    message:
      `Replication slot ${name} is there and is not the subscription’s: it is ${type}, of ${plugin === null ? 'no plugin' : `plugin ${plugin}`} and ${here === 't' ? 'this' : 'another'} database. ` +
      `If nobody needs it, run: SELECT pg_drop_replication_slot('${name}')`,
  })
}
