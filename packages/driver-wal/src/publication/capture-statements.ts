import type { PlannedStatement, TableName } from '@rowtap/core/driver'
import type { CaptureName, PublicationKind } from './capture-name.ts'
import type { Published, TableToPublish } from './publication-plan.ts'
import { addTables, dropTables, touchPublication } from './publication-sql.ts'
import type { PublishedPart } from './published-part.ts'
import { inTransaction } from './transaction-statements.ts'

const kinds: readonly PublicationKind[] = ['all', 'inserts']

/**
 * The statements that publish one table: one transaction of its own. Whoever holds a lock on one table while it waits for
 * one on another can deadlock with a transaction that takes the two the other way round, and which of both PostgreSQL
 * ends then is decided by `deadlock_timeout`.
 *
 * @param replaced the table where it is published in part, or without all of its operations, until then; `null`: it is not.
 */
export function additionStatements(
  { publications }: CaptureName,
  { facts, kind, part }: TableToPublish,
  {
    replaced,
    attempt,
  }: { readonly replaced: Pick<Published, keyof TableName | 'kind'> | null; readonly attempt: number },
): readonly PlannedStatement[] {
  const table = { schema: facts.schema, name: facts.name }
  const statements: PlannedStatement[] = [
    {
      sql: lockTimeout(attempt),
      purpose: 'Waits for a lock on a table for a moment only; then the transaction is tried again.',
      table: null,
    },
  ]
  if (replaced !== null) {
    statements.push({
      sql: dropTables(publications[replaced.kind], [replaced]),
      purpose: `Takes the table out of a publication, for the next statement to publish more, or less, of it.`,
      table,
    })
  }
  statements.push({
    sql: addTables(publications[kind], [{ table: facts, part }]),
    purpose: `Publishes ${kind === 'all' ? 'every change' : 'inserts and truncates'} from now on; writers are not kept waiting.${leftOut(part)}`,
    table,
  })
  return inTransaction(statements)
}

/** The statements that publish fewer rows, or fewer columns, of a table: one transaction, in which it is never not published. */
export function narrowingStatements(name: CaptureName, table: TableToPublish): readonly PlannedStatement[] {
  const { facts, kind } = table
  return additionStatements(name, table, { replaced: { ...facts, kind }, attempt: 0 })
}

/** The statement that publishes a table no more. */
export function removalStatement({ publications }: CaptureName, table: Published): PlannedStatement {
  const purpose = 'Publishes the table no more: nobody wants it.'
  return {
    sql: dropTables(publications[table.kind], [table]),
    purpose,
    table: { schema: table.schema, name: table.name },
  }
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
function leftOut({ rows, columns }: PublishedPart): string {
  if (rows === null && columns === null) return ''
  const others = rows === null ? 'Other columns' : columns === null ? 'Other rows' : 'Other rows, and other columns,'
  return ` ${others} do not leave the server. As long as it is so, PostgreSQL refuses to drop, or to change the type of, a column that the statement names.`
}

/**
 * The lock on the table keeps neither readers nor writers waiting, only other changes of the table: so now and
 * then it may wait longer than the server's `deadlock_timeout`, after which an automatic vacuum steps back.
 */
function lockTimeout(attempt: number): string {
  return `SET LOCAL lock_timeout = '${attempt % 4 === 3 ? 1500 : 100}ms'`
}
