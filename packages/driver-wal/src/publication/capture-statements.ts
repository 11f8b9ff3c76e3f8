import type { PlannedStatement } from '@rowtap/core/driver'
import type { EphemeralName, PublicationKind } from './ephemeral-name.ts'
import type { Published, PublicationPlan } from './publication-plan.ts'
import { addTables, dropTables, touchPublication } from './publication-sql.ts'
import { inTransaction } from './transaction-statements.ts'

const kinds: readonly PublicationKind[] = ['all', 'inserts']

/** The statements that publish what a plan adds: one transaction. */
export function additionStatements(
  { publications }: EphemeralName,
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
      'Takes tables out of the publication of inserts, for the next statement to publish all their changes.'
    statements.push({ sql: dropTables(publications.inserts, plan.replace), purpose, table: onlyOne(plan.replace) })
  }
  for (const kind of kinds) {
    const tables = plan.add.filter((table) => table.kind === kind).map(({ facts }) => facts)
    if (tables.length === 0) continue
    const purpose = `Publishes ${kind === 'all' ? 'every change' : 'inserts and truncates'} from now on; writers are not kept waiting.`
    statements.push({ sql: addTables(publications[kind], tables), purpose, table: onlyOne(tables) })
  }
  return inTransaction(statements)
}

/** The statement that publishes a table no more. */
export function removalStatement({ publications }: EphemeralName, table: Published): PlannedStatement {
  const purpose = 'Publishes the table no more: nobody wants it.'
  return { sql: dropTables(publications[table.kind], [table]), purpose, table: onlyOne([table]) }
}

/** The statements that make the stream look at its tables once more: one transaction. */
export function touchStatements({ publications }: EphemeralName): readonly PlannedStatement[] {
  const touches = kinds.map((kind) => ({
    sql: touchPublication(publications[kind], kind),
    purpose: 'Makes the stream look at its tables again, once all who wrote to the new ones before have ended.',
    table: null,
  }))
  return inTransaction(touches)
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
