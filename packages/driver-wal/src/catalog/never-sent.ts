import type { ColumnFacts } from './table-facts.ts'

/**
 * Why changes never hold a column, and what to do instead; `null`: they hold it.
 * https://www.postgresql.org/docs/current/logical-replication-gencols.html
 */
export function neverSent({ isSent, isVirtual }: Pick<ColumnFacts, 'isSent' | 'isVirtual'>): string | null {
  if (isSent) return null
  return isVirtual
    ? 'It is a virtual generated column, whose value is stored nowhere: name the columns that it is made of, or make it a STORED one.'
    : `It is a generated column, which servers before PostgreSQL 18 do not send: name the columns that it is made of, or use the driver 'trigger'.`
}
