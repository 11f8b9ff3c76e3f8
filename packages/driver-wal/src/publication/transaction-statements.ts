import type { PlannedStatement } from '@rowtap/core/driver'

/** Puts statements into a transaction: `transaction` of the control connection runs their {@link textOf}. */
export function inTransaction(statements: readonly PlannedStatement[]): readonly PlannedStatement[] {
  return [
    { sql: 'BEGIN', purpose: 'Begins a transaction.', table: null },
    ...statements,
    { sql: 'COMMIT', purpose: 'Ends the transaction.', table: null },
  ]
}

/** Statements as one text. */
export function textOf(statements: readonly PlannedStatement[]): string {
  return statements.map(({ sql }) => sql).join(';\n')
}
