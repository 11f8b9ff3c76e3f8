import type { DriverNotice } from '@rowtap/core/driver'
import { RowtapError, sqlstateOf } from '@rowtap/core/driver'
import type { Connection, Queries } from '../connection/connection.ts'
import { openConnection } from '../connection/connection.ts'
import { DEPENDENT_OBJECTS } from '../errors/sqlstate.ts'
import { lackOfParts } from '../install/lack-of-parts.ts'
import { removeRemains, removeUnused } from '../install/uninstall.ts'
import { END_READING, LIMIT_READING, REMOVE_CONSUMER, REMOVE_EXPIRED } from '../sql/consumer-statements.ts'
import { DROP_TABLE_FUNCTIONS } from '../sql/filter-statements.ts'
import { FIND_READERS } from '../sql/health-statements.ts'
import type { FoundInstallation } from '../sql/install-statements.ts'
import { DROP_INSTALLATION, DROP_SCHEMA, FIND_INSTALLATION, TAKE_INSTALL_LOCK } from '../sql/install-statements.ts'
import type { InstalledPart } from '../sql/installed-parts.ts'
import { FIND_INSTALLED_PARTS } from '../sql/installed-parts.ts'
import type { TriggerDriverOptions } from '../trigger-options.ts'
import { resolveTriggerOptions } from '../trigger-options.ts'

/** What is removed, and how. */
export interface UninstallTriggerOptions extends Pick<TriggerDriverOptions, 'connection' | 'schema'> {
  /** Only these subscriptions. What others need stays. Default: everything. */
  readonly subscriptions?: readonly string[]
  /** Whether to end the readers that live. Default: no, then nothing is removed while one does. */
  readonly force?: boolean
  /** Gives up waiting for locks. */
  readonly signal?: AbortSignal
  /** Hears of what is waited for, and of what is left because others use it. */
  readonly notify?: (notice: DriverNotice) => void
}

interface Reader {
  readonly id: string
  readonly subscription: string | null
  readonly processId: number
  readonly alive: boolean
}

/** How often to try, while others hold locks on tables. */
const attempts = 20

const IN_USE = 'Tables are in use by other transactions, so that triggers on them could not be dropped.'

/**
 * Removes a queue: its readers, triggers, functions, tables and schema; or with `subscriptions` those readers and what
 * only they needed.
 *
 * @returns what is left, and why, in one sentence; `null` where everything that was to be removed is gone.
 * @throws RowtapError ERR_SUBSCRIPTION_IN_USE naming the processes, where readers live and `force` is not set;
 *   ERR_SETUP_REQUIRED where the schema is someone else's, or, with `subscriptions`, where a part of the queue was dropped;
 *   ERR_CONNECTION_FAILED, ERR_CONNECTION_LOST, ERR_ABORTED, …
 */
export async function uninstallTrigger(options: UninstallTriggerOptions = {}): Promise<string | null> {
  const { connection, schema, force = false, signal = new AbortController().signal, notify = () => {} } = options
  const resolved = resolveTriggerOptions({ connection, ...(schema === undefined ? {} : { schema }) })
  const control = await openConnection(resolved, signal)
  try {
    const found = await findInstallation(control)
    if (!found.exists) return null
    checkOwnership(found, resolved.schema)
    const parts = await control.rows<InstalledPart>(FIND_INSTALLED_PARTS)
    const lack = lackOfParts(resolved.schema, parts)
    if (lack !== null) {
      if (options.subscriptions !== undefined) throw new RowtapError('ERR_SETUP_REQUIRED', { message: lack })
      const hasReaders = parts.some(({ name, isThere }) => name === 'consumer' && isThere)
      const check = async (queries: Queries): Promise<void> => {
        if (hasReaders && !force) refuseLiving(await queries.rows<Reader>(FIND_READERS, [null]))
      }
      if (!(await removeRemains({ connection: control, signal, attempts, notify }, check))) return IN_USE
    } else if (found.filled) {
      await endReaders(control, options.subscriptions ?? null, force)
      const left = await removeUnused({ connection: control, signal, attempts, notify })
      if (left !== null) return [...(left.isLocked ? [IN_USE] : []), ...left.refused.values()].join(' ')
    }
    if (options.subscriptions !== undefined) return null
    return await dropEmptySchema(control, resolved.schema)
  } finally {
    await control.close()
  }
}

/** The statements that remove a queue with everything that belongs to it. */
export function uninstallStatements(schema: string): readonly string[] {
  const statements = `${DROP_INSTALLATION.text(schema)}${DROP_SCHEMA.text(schema)}`.split(';')
  return [DROP_TABLE_FUNCTIONS.text(schema), ...statements]
    .map((statement) => statement.trim().replaceAll(/\s*\n\s*/g, ' '))
    .filter((statement) => statement !== '')
}

async function findInstallation(connection: Connection): Promise<FoundInstallation> {
  const [found] = await connection.rows<FoundInstallation>(FIND_INSTALLATION)
  if (found === undefined) throw new RowtapError('ERR_DATABASE', { message: 'PostgreSQL returned no row.' })
  return found
}

function checkOwnership(found: FoundInstallation, schema: string): void {
  if (!found.ours) {
    throw new RowtapError('ERR_SETUP_REQUIRED', {
      message: `The schema ${schema} exists, and rowtap did not make it, so it is not touched.`,
    })
  }
  if (!found.usable) {
    throw new RowtapError('ERR_SETUP_REQUIRED', {
      message: `The schema ${schema} belongs to the role ${found.owner}, whose code would run as yours. Connect as that role.`,
    })
  }
}

/** Forgets readers, in one transaction, so that none is forgotten where one lives. */
async function endReaders(
  connection: Connection,
  subscriptions: readonly string[] | null,
  force: boolean,
): Promise<void> {
  await connection.transaction(async (queries) => {
    await queries.rows(TAKE_INSTALL_LOCK)
    await queries.run(REMOVE_EXPIRED, ['0'])
    const readers = await queries.rows<Reader>(FIND_READERS, [subscriptions])
    if (!force) refuseLiving(readers)
    for (const { id } of readers) await queries.run(REMOVE_CONSUMER, [id])
    await queries.rows(LIMIT_READING)
    await queries.rows(END_READING)
  })
}

function refuseLiving(readers: readonly Reader[]): void {
  const living = readers.filter(({ alive }) => alive)
  if (living.length === 0) return
  const processes = living.map(({ processId }) => processId).join(', ')
  throw new RowtapError('ERR_SUBSCRIPTION_IN_USE', {
    message: `The queue is read by server process ${processes}. End its client first.`,
    retryable: true,
  })
}

/** The schema is left where someone else put something into it. */
async function dropEmptySchema(connection: Connection, schema: string): Promise<string | null> {
  const { exists, ours, filled } = await findInstallation(connection)
  if (!exists || !ours) return null
  if (filled) return `Somebody began to read the queue in the schema ${schema} meanwhile.`
  try {
    await connection.run(DROP_SCHEMA)
    return null
  } catch (error) {
    if (sqlstateOf(RowtapError.is(error) ? error.cause : error) !== DEPENDENT_OBJECTS) throw error
    return `The schema ${schema} holds objects that rowtap did not make, and stays.`
  }
}
