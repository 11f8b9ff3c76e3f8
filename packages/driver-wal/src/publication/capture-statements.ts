import type { PlannedStatement } from '@rowtap/core/driver'
import type { CaptureName, PublicationKind } from './capture-name.ts'
import type { Published, PublicationPlan, TableToPublish } from './publication-plan.ts'
import type { TableInPart } from './publication-sql.ts'
import { addTables, dropTables, touchPublication } from './publication-sql.ts'
import { WHOLE } from './published-part.ts'
import { inTransaction } from './transaction-statements.ts'

const kinds: readonly PublicationKind[] = ['all', 'inserts']

/** The statements that publish what a plan adds: one transaction. */
export function additionStatements(
  { publications }: CaptureName,
  plan: PublicationPlan,
  attempt: number,
): readonly PlannedStatement[] {
  const statements: PlannedStatement[] = [
    {
      sql: lockTimeout(attempt),
      purpose: 'Waits for a lock on a table for a moment only; then the transaction is tried again.',
      table: null,
    },
  ]
  if (plan.replace.length > 0) {
    const purpose =
      'Takes tables out of the publication of inserts, for the next statement to publish more, or less, of them.'
    statements.push({ sql: dropTables(publications.inserts, plan.replace), purpose, table: onlyOne(plan.replace) })
  }
  for (const kind of kinds) {
    const tables = plan.add.filter((table) => table.kind === kind).map(({ facts, part }) => ({ table: facts, part }))
    if (tables.length === 0) continue
    const purpose = `Publishes ${kind === 'all' ? 'every change' : 'inserts and truncates'} from now on; writers are not kept waiting.${leftOut(tables)}`
    statements.push({
      sql: addTables(publications[kind], tables),
      purpose,
      table: onlyOne(tables.map(({ table }) => table)),
    })
  }
  return inTransaction(statements)
}

/** The statements that publish fewer rows, or fewer columns, of a table: one transaction, in which it is never not published. */
export function narrowingStatements(name: CaptureName, table: TableToPublish): readonly PlannedStatement[] {
  const { facts, kind } = table
  return additionStatements(
    name,
    { add: [table], replace: [{ ...facts, kind, part: WHOLE }], narrow: [], remove: [] },
    0,
  )
}

/** The statement that publishes a table no more. */
export function removalStatement({ publications }: CaptureName, table: Published): PlannedStatement {
  const purpose = 'Publishes the table no more: nobody wants it.'
  return { sql: dropTables(publications[table.kind], [table]), purpose, table: onlyOne([table]) }
}

/** The statements that make the stream look at its tables once more: one transaction. */
export function touchStatements({ publications }: CaptureName): readonly PlannedStatement[] {
  const touches = kinds.map((kind) => ({
    sql: touchPublication(publications[kind], kind),
    purpose: 'Makes the stream look at its tables again, once all who wrote to the new ones before have ended.',
    table: null,
  }))
  return inTransaction(touches)
}

/** What does not leave the server, and what that means for the application: sentences that follow another one. */
function leftOut(tables: readonly TableInPart[]): string {
  const hasFilter = tables.some(({ part }) => part.rows !== null)
  const hasList = tables.some(({ part }) => part.columns !== null)
  if (!hasFilter && !hasList) return ''
  const others = hasFilter && hasList ? 'Other rows, and other columns,' : hasFilter ? 'Other rows' : 'Other columns'
  return ` ${others} do not leave the server. As long as it is so, PostgreSQL refuses to drop, or to change the type of, a column that the statement names.`
}

function onlyOne(tables: readonly { readonly schema: string; readonly name: string }[]): PlannedStatement['table'] {
  const [table, ...others] = tables
  return table === undefined || others.length > 0 ? null : { schema: table.schema, name: table.name }
}

/**
 * The lock on the table keeps neither readers nor writers waiting, only other changes of the table: so now and
 * then it may wait longer than the server's `deadlock_timeout`, after which an automatic vacuum steps back.
 */
function lockTimeout(attempt: number): string {
  return `SET LOCAL lock_timeout = '${attempt % 4 === 3 ? 1500 : 100}ms'`
}
