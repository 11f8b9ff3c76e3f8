import type { Sql } from '../sql/sql.ts'

/** The same statement for a queue in another schema than the connection's own. */
export function inSchema(schema: string, statement: Sql): Sql {
  return { text: () => statement.text(schema) }
}
