import type { TableName } from '@rowtap/core/driver'
import { nearestTable } from '@rowtap/core/driver'
import type { StorageFacts, TableFacts } from '../catalog/table-facts.ts'
import { readTable, readTableByOid } from '../catalog/table-facts.ts'
import { TABLE_NAMES } from '../catalog/table-sql.ts'
import type { ControlConnection } from '../connection/control-connection.ts'
import { TABLE_SURROUNDINGS } from './health-sql.ts'
import type { WalStorageHealth, WalTableHealth, WalTableMissing } from './wal-health.ts'

const KINDS: Readonly<Record<string, WalTableHealth['kind']>> = {
  r: 'table',
  p: 'partitioned table',
  v: 'view',
  m: 'materialized view',
  f: 'foreign table',
  S: 'sequence',
}

/** How a table stands that was asked for by its name. The error of a failure is `pg`'s. */
export async function readTableHealth(
  control: ControlConnection,
  table: TableName,
): Promise<WalTableHealth | WalTableMissing> {
  const facts = await readTable(control, table)
  if (facts !== null) return await tableHealth(control, facts)
  const rows = await control.query<'schema' | 'name'>(TABLE_NAMES, [table.schema])
  const names = rows.map((row) => ({ schema: row.schema ?? '', name: row.name ?? '' }))
  return { found: false, schema: table.schema, name: table.name, nearest: nearestTable(table, names) }
}

/** How the tables of these object ids stand, without those that are gone. The error of a failure is `pg`'s. */
export async function readTablesHealth(
  control: ControlConnection,
  oids: readonly number[],
): Promise<readonly WalTableHealth[]> {
  const tables: WalTableHealth[] = []
  for (const oid of oids) {
    const facts = await readTableByOid(control, oid)
    if (facts !== null) tables.push(await tableHealth(control, facts))
  }
  return tables
}

async function tableHealth(control: ControlConnection, facts: TableFacts): Promise<WalTableHealth> {
  const [around] = await control.query<'row_security' | 'root_schema' | 'root_name'>(TABLE_SURROUNDINGS, [
    facts.family,
    facts.oid,
  ])
  const { root_schema: schema = null, root_name: name = null } = around ?? {}
  return {
    found: true,
    schema: facts.schema,
    name: facts.name,
    kind: KINDS[facts.kind] ?? 'other',
    partitionOf: schema === null || name === null ? null : { schema, name },
    isSystem: facts.isSystem,
    owner: facts.owner,
    ownerIsSuperuser: facts.ownerIsSuperuser,
    isOwned: facts.isOwned,
    schemaIsOpen: facts.schemaIsOpen,
    primaryKey: facts.primaryKey,
    storage: facts.storage.map(storageHealth),
    hasRowSecurity: around?.row_security === 't',
  }
}

function storageHealth(storage: StorageFacts): WalStorageHealth {
  return {
    schema: storage.schema,
    name: storage.name,
    identity: identityOf(storage),
    persistence: storage.persistence === 'u' ? 'unlogged' : storage.persistence === 't' ? 'temporary' : 'permanent',
    isLocal: storage.kind === 'r',
    hasVirtualColumns: storage.hasVirtualColumns,
  }
}

function identityOf(storage: StorageFacts): WalStorageHealth['identity'] {
  if (storage.replicaIdentity === 'f') return 'full'
  if (storage.identity === null) return 'none'
  return storage.replicaIdentity === 'i' ? 'index' : 'primary key'
}
