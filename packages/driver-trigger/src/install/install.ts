import { quoteIdentifier, RowtapError } from '@rowtap/core/driver'
import type { Connection, Queries } from '../connection/connection.ts'
import type { FoundInstallation } from '../sql/install-statements.ts'
import { FIND_INSTALLATION, LAST_MIGRATION, NOTE_MIGRATION, TAKE_INSTALL_LOCK } from '../sql/install-statements.ts'
import { REGISTER_CONSUMER, REMOVE_EXPIRED } from '../sql/consumer-statements.ts'
import { MIGRATIONS } from './migrations.ts'

/** A reader of the queue, as the database knows it. */
export interface Registration {
  /** The consumer's number. */
  readonly id: string
  /** The snapshot that its reading starts from. */
  readonly place: string
  /** Tells this queue's changes from those of one that was here before. */
  readonly tag: string
}

/**
 * Makes the schema where it is missing, brings it up to date, and registers an ephemeral consumer. Several processes
 * may do so at once. Consumers whose lease has run out are removed on the way.
 *
 * @throws RowtapError ERR_SETUP_REQUIRED where the role may not, or where the schema is not rowtap's.
 */
export async function install(connection: Connection, schema: string, leaseMs: number): Promise<Registration> {
  return connection.transaction(async (queries) => {
    await queries.rows(TAKE_INSTALL_LOCK)
    await migrate(queries, schema)
    await queries.run(REMOVE_EXPIRED, ['0'])
    const [registration] = await queries.rows<Registration>(REGISTER_CONSUMER, [leaseMs])
    if (registration === undefined) throw new RowtapError('ERR_DATABASE', { message: 'PostgreSQL returned no row.' })
    return registration
  })
}

async function migrate(queries: Queries, schema: string): Promise<void> {
  const [found] = await queries.rows<FoundInstallation>(FIND_INSTALLATION)
  if (found?.exists === true) await checkOwnership(found, schema)
  else if (found?.may_create !== true) {
    const role = quoteIdentifier(found?.role ?? '')
    throw new RowtapError('ERR_SETUP_REQUIRED', {
      message: `Role ${role} may not create the schema ${schema} for the change queue. Run: GRANT CREATE ON DATABASE ${quoteIdentifier(found?.database ?? '')} TO ${role};`,
    })
  }
  const applied = found.filled ? await lastMigration(queries) : 0
  if (applied > MIGRATIONS.length) {
    throw new RowtapError('ERR_SETUP_REQUIRED', {
      message: `The schema ${schema} was made by a newer version of @rowtap/driver-trigger. Upgrade it here, or set the option schema to another name.`,
    })
  }
  for (const [index, migration] of MIGRATIONS.entries()) {
    if (index < applied) continue
    await queries.run(migration)
    await queries.run(NOTE_MIGRATION, [index + 1])
  }
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
