import type { TableName } from '@rowtap/core'
import { formatTableName, quoteIdentifier, quoteTableName } from '@rowtap/core'
import type { WalHealth, WalStorageHealth, WalTableHealth, WalTableMissing } from '@rowtap/driver-wal'

import type { Check, CheckMaker } from './check.ts'
import { checksOf } from './check.ts'

/** What row-level security means for whoever captures a table. */
export const ROW_SECURITY = 'It has row-level security, to which captured rows are not subject: every row is delivered.'

const INSERTS_ONLY = `Or listen to 'insert' and 'truncate' only.`

/** How the tables stand that were asked for, and those that are captured. */
export function walTableChecks({ tables, publications, role }: WalHealth): readonly Check[] {
  const asked = tables.flatMap((table) => (table.found ? askedChecks(table, role.name) : [missingCheck(table)]))
  const known = new Set(tables.map(formatTableName))
  const captured = publications.flatMap((publication) =>
    publication.tables.flatMap((table) => {
      // It is told of once, whatever publications it is in.
      const name = formatTableName(table)
      const isKnown = known.has(name)
      known.add(name)
      return [
        ...(publication.publishesUpdates ? harmChecks(table, publication.name) : []),
        ...(!isKnown && table.hasRowSecurity ? [checkerOf(table).warning(ROW_SECURITY)] : []),
      ]
    }),
  )
  return [...asked, ...captured]
}

function missingCheck(table: WalTableMissing): Check {
  const near = table.nearest === null ? '' : ` Did you mean ${formatTableName(table.nearest)}?`
  return checkerOf(table).problem(`There is no such table in this database.${near}`)
}

/** What keeps a table from being captured, or from being captured whole. */
function askedChecks(table: WalTableHealth, role: string): readonly Check[] {
  const { ok, warning, problem } = checkerOf(table)
  const refused = refusal(table)
  if (refused !== null) return [problem(refused.sentence, ...refused.statements)]
  const checks: Check[] = []
  if (table.partitionOf !== null) {
    checks.push(
      warning(`It is a partition of ${formatTableName(table.partitionOf)}: listen to that table for all its rows.`),
    )
  }
  if (!table.isOwned) {
    // To act as a superuser is more than any table is worth.
    const statement = table.ownerIsSuperuser
      ? `ALTER TABLE ${quoteTableName(table)} OWNER TO ${quoteIdentifier(role)}`
      : `GRANT ${quoteIdentifier(table.owner)} TO ${quoteIdentifier(role)}`
    checks.push(
      problem(`It belongs to the role ${table.owner}, and only its owner may publish its changes.`, statement),
    )
  }
  if (!table.schemaIsOpen) {
    const schema = quoteIdentifier(table.schema)
    const statement = `GRANT USAGE ON SCHEMA ${schema} TO ${quoteIdentifier(role)}`
    checks.push(problem(`The role ${role} may not use the schema ${table.schema}, which it is in.`, statement))
  }
  checks.push(...identityChecks(table))
  checks.push(
    table.primaryKey.length === 0
      ? warning(
          `It has no primary key: the key of its events is every column, unless a listener has the option 'key', which a snapshot needs.`,
        )
      : ok(`Its key is ${table.primaryKey.join(', ')}.`),
  )
  if (table.hasRowSecurity) checks.push(warning(ROW_SECURITY))
  return checks
}

function refusal(table: WalTableHealth): { readonly sentence: string; readonly statements: readonly string[] } | null {
  if (table.isSystem) return { sentence: 'It belongs to PostgreSQL itself, and cannot be captured.', statements: [] }
  if (table.kind !== 'table' && table.kind !== 'partitioned table') {
    return { sentence: `It is a ${table.kind}: only tables can be captured.`, statements: [] }
  }
  const foreign = table.storage.find(({ isLocal }) => !isLocal)
  if (foreign !== undefined) {
    return { sentence: `Its changes are not in this server’s log: ${formatTableName(foreign)}.`, statements: [] }
  }
  const unlogged = table.storage.filter(({ persistence }) => persistence === 'unlogged')
  if (unlogged.length > 0) {
    return {
      sentence: `Its changes are not in the log, because it is unlogged: ${names(unlogged)}.`,
      statements: unlogged.map((storage) => `ALTER TABLE ${quoteTableName(storage)} SET LOGGED`),
    }
  }
  return table.storage.some(({ persistence }) => persistence === 'temporary')
    ? { sentence: 'It is temporary: its changes are not in the log.', statements: [] }
    : null
}

function identityChecks(table: WalTableHealth): readonly Check[] {
  const { ok, warning, problem } = checkerOf(table)
  const none = table.storage.filter(({ identity }) => identity === 'none')
  if (none.length > 0) {
    return [
      problem(
        `Without a replica identity its updates and deletes cannot be published: ${names(none)}. ${INSERTS_ONLY}`,
        ...none.map(fullIdentity),
      ),
    ]
  }
  const virtual = table.storage.filter((storage) => storage.identity === 'full' && storage.hasVirtualColumns)
  if (virtual.length > 0) {
    return [
      problem(
        `With full replica identity and a virtual generated column its updates cannot be published: ${names(virtual)}. ${INSERTS_ONLY}`,
        ...virtual.map((storage) => `ALTER TABLE ${quoteTableName(storage)} REPLICA IDENTITY DEFAULT`),
      ),
    ]
  }
  if (table.kind === 'partitioned table' && table.primaryKey.length === 0) {
    return [
      problem(
        `It is partitioned and has no primary key: updates and deletes would fail in every partition made later. ${INSERTS_ONLY}`,
      ),
    ]
  }
  const partial = table.storage.filter(({ identity }) => identity !== 'full')
  if (partial.length === 0) return [ok('Old rows are known as a whole (full replica identity).')]
  return [
    warning(
      `Of old rows only the key is known: events have no 'changed', and conditions need transitions: 'idempotent'. Full identity makes its updates and deletes write more.`,
      ...partial.map(fullIdentity),
    ),
  ]
}

/** What a publication does to whoever writes to one of its tables. */
function harmChecks(table: WalTableHealth, publication: string): readonly Check[] {
  const { problem } = checkerOf(table)
  const harmed = table.storage.filter(
    ({ identity, hasVirtualColumns }) => identity === 'none' || (identity === 'full' && hasVirtualColumns),
  )
  if (harmed.length === 0) return []
  return [
    problem(
      `PostgreSQL refuses its updates and deletes now, because the publication ${publication} needs another replica identity: ${names(harmed)}.`,
      ...harmed.map((storage) =>
        storage.identity === 'none'
          ? fullIdentity(storage)
          : `ALTER TABLE ${quoteTableName(storage)} REPLICA IDENTITY DEFAULT`,
      ),
    ),
  ]
}

function fullIdentity(storage: WalStorageHealth): string {
  return `ALTER TABLE ${quoteTableName(storage)} REPLICA IDENTITY FULL`
}

function names(tables: readonly TableName[]): string {
  return tables.map(formatTableName).join(', ')
}

function checkerOf(table: TableName): CheckMaker {
  return checksOf('wal', `table ${formatTableName(table)}`)
}
