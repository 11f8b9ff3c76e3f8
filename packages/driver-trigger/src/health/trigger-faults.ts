import type { TableName } from '@rowtap/core/driver'
import { quoteIdentifier, quoteTableName } from '@rowtap/core/driver'
import type { CapturedPart } from '../install/captured-part.ts'
import { ROW_OPERATIONS } from '../install/captured-part.ts'
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
 * statements, each of which must be there whose changes somebody wants.
 *
 * @param parts what each of those wants who want the table; `null`: all of it.
 */
export function triggerFaults(
  table: TableName,
  triggers: readonly FoundTrigger[],
  parts: readonly (CapturedPart | null)[],
): readonly TriggerFault[] {
  const faultOf = (changes: TriggerFault['changes']): readonly TriggerFault[] => {
    const found = triggers.filter(({ captures }) => captures === changes)
    if (found.some(({ fires }) => fires)) return []
    const [disabled] = found
    if (disabled === undefined) return [{ table, changes, fault: 'missing', statement: null }]
    const statement = `ALTER TABLE ${quoteTableName(table)} ENABLE TRIGGER ${quoteIdentifier(disabled.name)}`
    return [{ table, changes, fault: 'disabled', statement }]
  }
  const wanted = ROW_OPERATIONS.filter((one) => parts.some((part) => part === null || part.operations.includes(one)))
  const byStatement = wanted.map((one) => faultOf(`${one}s`))
  const ofRows = faultOf('rows')
  // With neither kind it is one fault: nothing of it is captured.
  const isByStatement =
    ofRows.length > 0 && (wanted.length === 0 || triggers.some(({ captures }) => STATEMENT_CAPTURES.has(captures)))
  return [...(isByStatement ? byStatement.flat() : ofRows), ...faultOf('truncate')]
}

const STATEMENT_CAPTURES: ReadonlySet<TriggerFault['changes']> = new Set(['inserts', 'updates', 'deletes'])
