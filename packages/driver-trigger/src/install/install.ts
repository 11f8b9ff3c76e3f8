import { quoteIdentifier, RowtapError } from '@rowtap/core/driver'
import type { Connection, Queries } from '../connection/connection.ts'
import type { FoundInstallation } from '../sql/install-statements.ts'
import { FIND_INSTALLATION, LAST_MIGRATION, NOTE_MIGRATION, TAKE_INSTALL_LOCK } from '../sql/install-statements.ts'
import {
  FIND_SUBSCRIPTION,
  REGISTER_CONSUMER,
  REMOVE_EXPIRED,
  REMOVE_SUBSCRIPTION,
  RESUME_CONSUMER,
} from '../sql/consumer-statements.ts'
import { beginHere } from './begin-here.ts'
import { checkParts } from './lack-of-parts.ts'
import { MIGRATIONS } from './migrations.ts'

/** A reader of the queue, as the database knows it. */
export interface Registration {
  /** The consumer's number. */
  readonly id: string
  /** The snapshot that its reading starts from. */
  readonly place: string
  /** Beyond that snapshot, everything up to this position is handled; `null` if nothing is. */
  readonly acknowledged: string | null
  /** How often its reading has begun anew. */
  readonly era: number
  /** Tells this queue's changes from those of one that was here before. */
  readonly tag: string
  /** The versions of the triggers that a subscription has seen last, by their object ids. */
  readonly triggers: Readonly<Record<string, string>> | null
}

/** Who is registered. */
export interface RegistrationRequest {
  readonly schema: string
  /** How long the queue keeps changes for one that gives no sign of life. Nothing to a subscription. */
  readonly leaseMs: number
  /** The subscription's name; `null` for an ephemeral consumer. */
  readonly subscription: string | null
  /** How often its reading has begun anew. */
  readonly era: number
  /** What is between the client and the server; `null`: nothing that matters. */
  readonly pooler: 'transaction' | null
}

/**
 * Makes the schema where it is missing, brings it up to date, and registers a consumer. Several processes may do so at
 * once. Consumers that crashed, or whose lease has run out, are removed on the way.
 *
 * @throws RowtapError ERR_SETUP_REQUIRED where the role may not, where the schema is not rowtap's, or where a part of the queue was dropped.
 */
export async function install(
  connection: Connection,
  { schema, leaseMs, subscription, era, pooler }: RegistrationRequest,
): Promise<Registration> {
  return connection.transaction(async (queries) => {
    await prepare(queries, schema)
    // Who registers has the subscription's lock: what is there is of an attempt whose end nobody has heard of, or is lost.
    if (subscription !== null) await queries.run(REMOVE_SUBSCRIPTION, [subscription])
    const [registration] = await queries.rows<Registration>(REGISTER_CONSUMER, [
      leaseMs,
      subscription,
      era,
      pooler === null ? 1 : 0,
    ])
    if (registration === undefined) throw new RowtapError('ERR_DATABASE', { message: 'PostgreSQL returned no row.' })
    return registration
  })
}

/** A consumer that goes on, whether its place is one that the server has been at, and why its changes were let go of, if they were. */
export type ResumedRegistration = Registration & { readonly isPast: boolean; readonly dropped: string | null }

/**
 * Goes on as the consumer of a subscription, with the schema brought up to date; `null` where there is none.
 *
 * @throws RowtapError ERR_SETUP_REQUIRED where the role may not, where the schema is not rowtap's, or where a part of the queue was dropped.
 */
export async function resumeSubscription(
  connection: Connection,
  { schema, leaseMs, subscription }: Omit<RegistrationRequest, 'era' | 'pooler'>,
): Promise<ResumedRegistration | null> {
  const [installation] = await connection.rows<FoundInstallation>(FIND_INSTALLATION)
  if (installation?.filled !== true) return null
  return connection.transaction(async (queries) => {
    // Its tables may be those of an earlier version.
    await prepare(queries, schema)
    const [found] = await queries.rows<{ id: string; tag: string }>(FIND_SUBSCRIPTION, [subscription])
    if (found === undefined) return null
    const [resumed] = await queries.rows<ResumedRegistration>(RESUME_CONSUMER, [found.id, leaseMs, found.tag, 1])
    return resumed ?? null
  })
}

async function prepare(queries: Queries, schema: string): Promise<void> {
  await queries.rows(TAKE_INSTALL_LOCK)
  await migrate(queries, schema)
  await queries.run(REMOVE_EXPIRED, ['0'])
}

async function migrate(queries: Queries, schema: string): Promise<void> {
  const [found] = await queries.rows<FoundInstallation>(FIND_INSTALLATION)
  if (found === undefined) throw new RowtapError('ERR_DATABASE', { message: 'PostgreSQL returned no row.' })
  if (found.exists) await checkOwnership(found, schema)
  // Also where it is there: it goes with its last client, and would not come again.
  if (!found.filled && !found.may_create) {
    const role = quoteIdentifier(found.role)
    throw new RowtapError('ERR_SETUP_REQUIRED', {
      message: `Role ${role} may not create the schema ${schema} for the change queue. Run: GRANT CREATE ON DATABASE ${quoteIdentifier(found.database)} TO ${role};`,
    })
  }
  const applied = found.filled ? await lastMigration(queries) : 0
  if (found.filled && applied === 0) {
    throw new RowtapError('ERR_SETUP_REQUIRED', {
      message: `The queue in the schema ${schema} does not say which version it has: somebody has emptied its table migration. Remove the queue with \`rowtap uninstall\`, and start again: its subscriptions begin anew then, and what they had not handled is gone.`,
    })
  }
  if (applied > MIGRATIONS.length) {
    throw new RowtapError('ERR_SETUP_REQUIRED', {
      message: `The schema ${schema} was made by a newer version of @rowtap/driver-trigger. Upgrade it here, or set the option schema to another name.`,
    })
  }
  if (found.exists && (applied === MIGRATIONS.length || !found.filled)) await checkParts(queries, schema)
  for (const [index, migration] of MIGRATIONS.entries()) {
    if (index < applied) continue
    await queries.run(migration)
    await queries.run(NOTE_MIGRATION, [index + 1])
  }
  if (found.filled) await beginHere(queries, schema)
}

async function lastMigration(queries: Queries): Promise<number> {
  const [last] = await queries.rows<{ number: number }>(LAST_MIGRATION)
  return last?.number ?? 0
}

async function checkOwnership(found: FoundInstallation, schema: string): Promise<void> {
  if (!found.ours) {
    throw new RowtapError('ERR_SETUP_REQUIRED', {
      message: `The schema ${schema} exists, and rowtap did not make it, so it is not touched. Set the option schema of triggerDriver to another name.`,
    })
  }
  if (!found.usable) {
    throw new RowtapError('ERR_SETUP_REQUIRED', {
      message: `The schema ${schema} belongs to the role ${found.owner}, whose code would run as yours. Connect as that role, or set the option schema of triggerDriver to another name.`,
    })
  }
}
