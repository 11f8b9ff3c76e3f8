import { conditionRefusal } from '../conditions/condition-refusal.ts'
import type { Condition } from '../conditions/condition.ts'
import type { Relation, RelationColumn } from '../contract/relation.ts'
import { formatTableName } from '../contract/table-name.ts'
import { RowtapError } from '../rowtap-error.ts'

/**
 * Refuses `columns` or `key` that name a column which no change ever holds.
 *
 * @throws RowtapError ERR_SETUP_REQUIRED with the reason.
 */
export function checkSent(relation: Relation, names: readonly string[], option: 'columns' | 'key'): void {
  for (const column of relation.columns) {
    if (column.neverSent === null || !names.includes(column.name)) continue
    throw new RowtapError('ERR_SETUP_REQUIRED', { message: sentence(relation, column, option) })
  }
}

/**
 * Refuses a condition on a column which no change ever holds.
 *
 * @throws RowtapError ERR_SETUP_REQUIRED with the reason, and the place in the text where there is one.
 */
export function checkConditionSent(relation: Relation, condition: Condition): void {
  switch (condition.kind) {
    case 'and':
    case 'or':
      for (const part of condition.conditions) checkConditionSent(relation, part)
      return
    case 'not':
      checkConditionSent(relation, condition.condition)
      return
    case 'constant':
      return
    default: {
      const column = relation.columns.find(({ name }) => name === condition.column)
      if (column === undefined || column.neverSent === null) return
      throw conditionRefusal('ERR_SETUP_REQUIRED', sentence(relation, column, 'where'), condition, 'column')
    }
  }
}

function sentence(relation: Relation, column: RelationColumn, option: 'columns' | 'key' | 'where'): string {
  return `Changes of table ${formatTableName(relation)} never hold its column ${JSON.stringify(column.name)} (named in '${option}'). ${column.neverSent ?? ''}`
}
