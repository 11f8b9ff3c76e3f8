import type { Queries } from '../connection/connection.ts'
import type { CapturedPart } from '../install/captured-part.ts'
import { lackOfParts } from '../install/lack-of-parts.ts'
import { MIGRATIONS } from '../install/migrations.ts'
import { dropTrigger } from '../install/triggers.ts'
import { CAPTURED_HEALTH, CONSUMERS_HEALTH, QUEUE_HEALTH } from '../sql/health-statements.ts'
import { FIND_UNWANTED_TRIGGERS, LAST_MIGRATION } from '../sql/install-statements.ts'
import type { InstalledPart } from '../sql/installed-parts.ts'
import { FIND_INSTALLED_PARTS } from '../sql/installed-parts.ts'
import type { Sql } from '../sql/sql.ts'
import { inSchema } from './in-schema.ts'
import type { CapturedTableHealth, ConsumerHealth, InstallationContent, QueueHealth } from './trigger-health.ts'
import type { FoundTrigger } from './trigger-faults.ts'
import { triggerFaults } from './trigger-faults.ts'

const countedRows = 1_000_000

const EMPTY: InstallationContent = {
  version: 0,
  lack: null,
  queue: { rows: 0, hasMore: false, bytes: 0, oldestTransactionsAgo: null, oldestCommitted: null },
  consumers: [],
  captured: [],
  abandoned: [],
}

/** Reads what is in a schema of ours that the role may trust. `filled`: whether a migration has been applied to it. */
export async function readInstallation(
  queries: Queries,
  schema: string,
  filled: boolean,
): Promise<InstallationContent> {
  const read = <R extends object>(statement: Sql): Promise<readonly R[]> => queries.rows<R>(inSchema(schema, statement))
  const parts = await read<InstalledPart>(FIND_INSTALLED_PARTS)
  const [migration] = filled ? await read<{ number: number }>(LAST_MIGRATION) : []
  const isComparable = !filled || migration?.number === MIGRATIONS.length
  const lack = isComparable ? lackOfParts(schema, parts) : null
  const isReadable = parts.every(({ kind, isThere }) => kind === 'function' || isThere)
  if (!filled || (lack !== null && !isReadable)) return { ...EMPTY, version: migration?.number ?? 0, lack }
  const unwanted = await read<{ name: string; schema: string; table: string }>(FIND_UNWANTED_TRIGGERS)
  const [queue] = await read<QueueRow>(QUEUE_HEALTH)
  return {
    version: migration?.number ?? 0,
    lack,
    queue: queue === undefined ? EMPTY.queue : queueHealth(queue),
    consumers: (await read<ConsumerRow>(CONSUMERS_HEALTH)).map(consumerHealth),
    captured: capturedHealth(await read<PartRow>(CAPTURED_HEALTH)),
    abandoned: unwanted.map(({ name, schema: home, table: relation }) => {
      const table = { schema: home, name: relation }
      return { name, table, statement: dropTrigger(name, table) }
    }),
  }
}

interface QueueRow {
  readonly rows: string
  readonly bytes: string | null
  readonly ago: string | null
  readonly committed: string | null
}

function queueHealth({ rows, bytes, ago, committed }: QueueRow): QueueHealth {
  return {
    rows: Math.min(Number(rows), countedRows),
    hasMore: Number(rows) > countedRows,
    bytes: Number(bytes ?? 0),
    oldestTransactionsAgo: ago === null ? null : Number(ago),
    oldestCommitted: committed === null ? null : new Date(Number(committed)),
  }
}

interface ConsumerRow {
  readonly id: string
  readonly subscription: string | null
  readonly processId: number
  readonly created: string
  readonly lease: string | null
  readonly expired: boolean
  readonly alive: boolean
  readonly tables: number
  readonly behind: string
  readonly gone: string | null
  readonly dropped: string | null
}

function consumerHealth({ created, lease, expired, alive, behind, gone, ...row }: ConsumerRow): ConsumerHealth {
  return {
    ...row,
    isAlive: alive,
    createdAt: new Date(Number(created)),
    leaseUntil: lease === null ? null : new Date(Number(lease)),
    isExpired: expired,
    behind: Math.min(Number(behind), countedRows),
    goneSince: gone === null ? null : new Date(Number(gone)),
  }
}

interface PartRow {
  readonly schema: string
  readonly table: string
  readonly partSchema: string
  readonly partTable: string
  readonly secured: boolean
  /** What each of those wants who want the table; `null`: all of it. */
  readonly parts: readonly (CapturedPart | null)[]
  readonly triggers: readonly FoundTrigger[]
}

/** One entry for each table, from one row for each of its partitions. */
function capturedHealth(rows: readonly PartRow[]): readonly CapturedTableHealth[] {
  const tables: CapturedTableHealth[] = []
  for (const row of rows) {
    const faults = triggerFaults({ schema: row.partSchema, name: row.partTable }, row.triggers, row.parts)
    const last = tables.at(-1)
    if (last?.schema !== row.schema || last.name !== row.table) {
      tables.push({ schema: row.schema, name: row.table, faults, hasRowSecurity: row.secured })
    } else {
      const hasRowSecurity = last.hasRowSecurity || row.secured
      tables[tables.length - 1] = { ...last, faults: [...last.faults, ...faults], hasRowSecurity }
    }
  }
  return tables
}
