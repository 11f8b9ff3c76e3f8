import type { TableName } from '@rowtap/core/driver'
import { quoteIdentifier, RowtapError } from '@rowtap/core/driver'
import { findTable, lackOfPrivilege } from '../catalog/find-table.ts'
import type { Connection } from '../connection/connection.ts'
import { openConnection } from '../connection/connection.ts'
import { MIGRATIONS } from '../install/migrations.ts'
import type { Server } from '../session/check-server.ts'
import { SERVER } from '../sql/catalog-statements.ts'
import { FIND_INSTALLATIONS, READ_ONLY, ROW_SECURITY } from '../sql/health-statements.ts'
import type { FoundInstallation } from '../sql/install-statements.ts'
import { FIND_INSTALLATION } from '../sql/install-statements.ts'
import type { TriggerDriverOptions } from '../trigger-options.ts'
import { resolveTriggerOptions } from '../trigger-options.ts'
import { inSchema } from './in-schema.ts'
import { readInstallation } from './read-installation.ts'
import type { TriggerHealth, TriggerInstallation, TriggerTableHealth } from './trigger-health.ts'

/** What is looked at. */
export interface InspectTriggerOptions extends Pick<TriggerDriverOptions, 'connection' | 'schema'> {
  /** Tables to look at besides those that are captured. Default: none. */
  readonly tables?: readonly TableName[]
  /** Gives up. */
  readonly signal?: AbortSignal
}

const oldestVersion = 140_000

/**
 * Looks at everything that capturing one database with triggers depends on: privileges, queues, their readers, and the
 * triggers on captured tables. Changes nothing. A queue of another role is not read, unless that role is one's own to
 * act as: what it holds is that role's code. Of a server older than 14 it tells the version only.
 *
 * @throws RowtapError ERR_CONNECTION_FAILED, ERR_AUTHENTICATION_FAILED, ERR_CONNECTION_LOST, ERR_ABORTED, ERR_INVALID_OPTIONS.
 */
export async function inspectTrigger(options: InspectTriggerOptions = {}): Promise<TriggerHealth> {
  const { connection, schema, tables = [], signal = new AbortController().signal } = options
  const resolved = resolveTriggerOptions({ connection, ...(schema === undefined ? {} : { schema }) })
  const control = await openConnection(resolved, signal)
  try {
    await control.run(READ_ONLY)
    return await inspect(control, resolved.schema, tables)
  } finally {
    await control.close()
  }
}

async function inspect(connection: Connection, schema: string, tables: readonly TableName[]): Promise<TriggerHealth> {
  const [server] = await connection.rows<Server>(SERVER)
  const [found] = await connection.rows<FoundInstallation>(FIND_INSTALLATION)
  if (server === undefined || found === undefined) {
    throw new RowtapError('ERR_DATABASE', { message: 'PostgreSQL returned no row.' })
  }
  const known = server.version_number >= oldestVersion
  const installations = known ? await readInstallations(connection) : []
  return {
    takenAt: new Date(),
    database: found.database,
    server: {
      version: server.version_number,
      // Some add who packaged it.
      versionName: server.version.split(' ')[0] ?? '',
      isStandby: server.in_recovery,
      hasPreparedTransactions: server.prepared_transactions,
    },
    role: { name: found.role, mayCreate: found.may_create },
    obstacle: obstacleOf(found, schema) ?? installations.find((one) => one.schema === schema)?.content?.lack ?? null,
    latestVersion: MIGRATIONS.length,
    installations,
    tables: known ? await readTables(connection, schema, tables) : [],
    unseen: installations.flatMap((installation) =>
      installation.content === null
        ? [
            `What is in the schema ${installation.schema}: it belongs to the role ${installation.owner}, whose code would run as ${found.role}. Connect as that role to see it.`,
          ]
        : [],
    ),
  }
}

/** Why a queue cannot be made or used in a schema. */
function obstacleOf(found: FoundInstallation, schema: string): string | null {
  if (found.exists && !found.ours)
    return `The schema ${schema} exists, and rowtap did not make it. Use another schema for the queue.`
  if (!found.exists || found.usable) {
    // A schema that is there goes with its last client, and the next one makes it again.
    if (found.filled || found.may_create) return null
    return `The role may not create the schema ${schema} for the change queue. Run: GRANT CREATE ON DATABASE ${quoteIdentifier(found.database)} TO ${quoteIdentifier(found.role)}`
  }
  return `The schema ${schema} belongs to the role ${found.owner}, whose code would run as yours. Connect as that role, or use another schema for the queue.`
}

async function readInstallations(connection: Connection): Promise<readonly TriggerInstallation[]> {
  const installations: TriggerInstallation[] = []
  for (const { schema } of await connection.rows<{ schema: string }>(FIND_INSTALLATIONS)) {
    const [found] = await connection.rows<FoundInstallation>(inSchema(schema, FIND_INSTALLATION))
    if (found === undefined) continue
    const content = found.usable ? await readInstallation(connection, schema, found.filled) : null
    installations.push({ schema, owner: found.owner, content })
  }
  return installations
}

async function readTables(
  connection: Connection,
  schema: string,
  tables: readonly TableName[],
): Promise<readonly TriggerTableHealth[]> {
  const health: TriggerTableHealth[] = []
  for (const table of tables) {
    const [security] = await connection.rows<{ secured: boolean }>(ROW_SECURITY, [table.schema, table.name])
    const hasRowSecurity = security?.secured === true
    try {
      const found = await findTable(connection, schema, table)
      const obstacle = lackOfPrivilege(table, found)?.message ?? null
      health.push({ ...table, obstacle, primaryKey: found.content.key, hasRowSecurity })
    } catch (error) {
      if (!RowtapError.is(error, 'ERR_SETUP_REQUIRED')) throw error
      health.push({ ...table, obstacle: error.message, primaryKey: [], hasRowSecurity })
    }
  }
  return health
}
