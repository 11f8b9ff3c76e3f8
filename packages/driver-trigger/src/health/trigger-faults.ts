import type { TableName } from '@rowtap/core/driver'
import { quoteIdentifier, quoteTableName } from '@rowtap/core/driver'
import type { TriggerFault } from './trigger-health.ts'

/** A trigger of ours on a table or partition. */
export interface FoundTrigger {
  readonly name: string
  /** What it captures. */
  readonly captures: TriggerFault['changes']
  readonly fires: boolean
}

/**
 * Which changes of a table or partition are not captured. Its rows are captured by one trigger for rows, or by three for
 * statements, each of which must be there.
 */
export function triggerFaults(table: TableName, triggers: readonly FoundTrigger[]): readonly TriggerFault[] {
  const faultOf = (changes: TriggerFault['changes']): readonly TriggerFault[] => {
    const found = triggers.filter(({ captures }) => captures === changes)
    if (found.some(({ fires }) => fires)) return []
    const [disabled] = found
    if (disabled === undefined) return [{ table, changes, fault: 'missing', statement: null }]
    const statement = `ALTER TABLE ${quoteTableName(table)} ENABLE TRIGGER ${quoteIdentifier(disabled.name)}`
    return [{ table, changes, fault: 'disabled', statement }]
  }
  const byStatement = (['inserts', 'updates', 'deletes'] as const).map(faultOf)
  const ofRows = faultOf('rows')
  // With neither kind it is one fault: nothing of it is captured.
  const isByStatement = ofRows.length > 0 && triggers.some(({ captures }) => STATEMENT_CAPTURES.has(captures))
  return [...(isByStatement ? byStatement.flat() : ofRows), ...faultOf('truncate')]
}

const STATEMENT_CAPTURES: ReadonlySet<TriggerFault['changes']> = new Set(['inserts', 'updates', 'deletes'])
