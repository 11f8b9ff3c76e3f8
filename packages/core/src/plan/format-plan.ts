import { formatTableName } from '../contract/table-name.ts'
import type { PlannedStatement } from '../contract/driver.ts'
import type { Plan, PlannedListener } from './plan.ts'

/** A plan as text for people: what is done where, and a script of the statements. Ends without a line break. */
export function formatPlan(plan: Plan): string {
  const statements =
    plan.statements.length === 0
      ? ['No statement would be executed, but for those that only read.']
      : ['These statements would be executed, besides those that only read:', ...plan.statements.map(statementText)]
  return [`Driver: ${plan.driver}`, ...plan.listeners.map(listenerText), ...statements].join('\n\n')
}

function listenerText(listener: PlannedListener): string {
  const { operations } = listener
  const rows: readonly (readonly [string, string])[] = [
    ['operations', operations.join(', ')],
    ...(listener.rows ? rowLines(listener) : [['rows', 'none'] as const]),
  ]
  const parts = listener.parts.map(({ what, where: place, why }) => [what, `in the ${place}: ${why}`] as const)
  return [
    `Listener on ${formatTableName(listener.table)}${listener.isAttached ? ' (attached)' : ''}`,
    ...table(rows),
    '  what runs where:',
    ...table(parts).map((line) => `  ${line}`),
  ].join('\n')
}

function rowLines({
  columns,
  key,
  where,
  transitions,
  oldRow,
}: PlannedListener): readonly (readonly [string, string])[] {
  return [
    ['columns', columns.join(', ')],
    ['key', key.join(', ')],
    ['where', where ?? '(every row)'],
    ['transitions', transitions],
    ['old row', oldRow.columns === 'all' ? 'every column' : oldRow.columns.join(', ') || 'not known'],
    // What nobody is going to run must not look as if it was a part of the plan.
    ...(oldRow.statement === null || oldRow.columns === 'all'
      ? []
      : [['', `(every column after: ${oldRow.statement} — it is not run)`] as const]),
  ]
}

function table(rows: readonly (readonly [string, string])[]): readonly string[] {
  const width = Math.max(...rows.map(([name]) => name.length))
  return rows.map(([name, value]) => `  ${name.padEnd(width)}  ${value}`)
}

function statementText({ sql, purpose, table: about }: PlannedStatement, index: number): string {
  const target = about === null ? '' : ` (${formatTableName(about)})`
  const text = sql.trim()
  return `-- ${index + 1}. ${purpose}${target}\n${text}${text.endsWith(';') ? '' : ';'}`
}
