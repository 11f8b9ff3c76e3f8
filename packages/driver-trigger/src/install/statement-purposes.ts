import {
  ADD_WANTED,
  CONFIRM_WANTED,
  DOUBT_WANTED,
  REGISTER_CONSUMER,
  REMOVE_EXPIRED,
  REMOVE_OVERDUE,
  REMOVE_SUBSCRIPTION,
  REMOVE_WANTED,
} from '../sql/consumer-statements.ts'
import { NARROW_SHAPE } from '../sql/filter-statements.ts'
import {
  MOMENTARY_LOCK_TIMEOUT,
  NOTE_MIGRATION,
  SHORT_LOCK_TIMEOUT,
  TAKE_INSTALL_LOCK,
} from '../sql/install-statements.ts'
import { NO_LOCK_TIMEOUT } from '../sql/lock-statements.ts'
import { BEGIN_HERE, DELETE_QUEUE, LET_GO_OF_READERS, TRUNCATE_QUEUE } from '../sql/origin-statements.ts'
import { AWAKE, LISTEN, SETTLE_SHAPE } from '../sql/queue-statements.ts'
import type { Sql } from '../sql/sql.ts'
import { MIGRATIONS } from './migrations.ts'

const SHORTLY = 'Waits for a lock for a moment only, so that writers do not queue behind it; it is tried again.'

const PURPOSES: ReadonlyMap<Sql | string, string> = new Map<Sql | string, string>([
  ...MIGRATIONS.map((migration) => [migration, 'Makes the change queue: its schema, tables and functions.'] as const),
  [NOTE_MIGRATION, 'Notes which version of the queue is installed.'],
  [TAKE_INSTALL_LOCK, 'Keeps other processes from changing what is installed at the same time.'],
  [SHORT_LOCK_TIMEOUT, SHORTLY],
  [MOMENTARY_LOCK_TIMEOUT, SHORTLY],
  [NO_LOCK_TIMEOUT, 'Waits for no further lock, so that no writer can be in a deadlock with it; it is tried again.'],
  [
    LET_GO_OF_READERS,
    'The queue was restored from a dump: what its readers had still to see was elsewhere, and is let go of.',
  ],
  [TRUNCATE_QUEUE, 'Empties the queue that was restored from a dump.'],
  [DELETE_QUEUE, 'Empties the queue that was restored from a dump, where others use it.'],
  [BEGIN_HERE, 'Notes that the queue is at home here from now on.'],
  [REMOVE_EXPIRED, 'Forgets consumers that crashed.'],
  [REMOVE_SUBSCRIPTION, 'Forgets an earlier attempt to begin the subscription.'],
  [REMOVE_OVERDUE, 'Forgets consumers whose lease has run out.'],
  [REGISTER_CONSUMER, 'Registers this client as a consumer of the queue.'],
  [ADD_WANTED, 'Notes that this client wants the table, and which part of it.'],
  [DOUBT_WANTED, 'Notes that transactions may be open that have been captured for less.'],
  [CONFIRM_WANTED, 'Notes that none is open any more.'],
  [REMOVE_WANTED, 'Notes that this client wants the tables no more.'],
  [SETTLE_SHAPE, 'Records the columns of the table, for its changes to refer to.'],
  [NARROW_SHAPE, 'Records which columns of the table are captured, for its changes to refer to.'],
  [LISTEN, 'Has writers wake this client.'],
  [AWAKE, 'Tells writers that this client is awake, and finds out whether notifications arrive.'],
  ['begin', 'Begins a transaction.'],
  ['commit', 'Ends the transaction.'],
])

const TEXTS: readonly (readonly [beginning: string, purpose: string])[] = [
  ['create or replace function', 'Makes the function that captures what is wanted of the table.'],
  ['revoke all on function', 'Lets nobody call it but the triggers.'],
  [
    'create trigger',
    'Writes the changes of the table into the queue from now on. Waits for its writers, and lets none write meanwhile.',
  ],
  [
    'alter table only',
    'Changes nothing: lets nobody use the table meanwhile, as LOCK TABLE does for whom it is allowed. Waits for those who do.',
  ],
  ['alter table', 'Has the trigger fire for replicated writes, too, as the option enableAlways asks.'],
  [
    'lock table',
    'Lets nobody write to the table meanwhile, nor use it where triggers are dropped. Waits for those who do.',
  ],
  [
    'do $rowtap_body$',
    'The same of its partitions: where others use one, everything is let go of and tried again, so that no writer can be in a deadlock with it.',
  ],
  ['drop trigger', 'Takes away a trigger that no client needs.'],
]

/** What a statement of this driver is for: one sentence. */
export function purposeOf(statement: Sql | string): string {
  const purpose = PURPOSES.get(statement)
  if (purpose !== undefined) return purpose
  const known = TEXTS.find(([beginning]) => typeof statement === 'string' && statement.startsWith(beginning))
  return known?.[1] ?? 'Keeps the change queue in order.'
}
