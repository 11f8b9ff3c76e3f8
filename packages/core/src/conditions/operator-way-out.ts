import type { ColumnType } from './column-type.ts'
import type { ConditionOperator } from './operator.ts'
import { OPERATORS } from './operator.ts'

/** What to do where only PostgreSQL can evaluate a part of a condition, or where its column's type has no such operator. */
export const WAY_OUT =
  "Leave that part out of 'where' and test it in the handler, or compare a generated column that holds its result."

/** What to do instead of an operator that a column's type does not have. */
export function operatorWayOut(type: ColumnType, operator: ConditionOperator): string {
  const { class: operatorClass } = OPERATORS[operator]
  if (operatorClass === 'boolean') return 'Compare the column with a constant.'
  const name = type.kind === 'base' ? type.name : type.kind
  if (name === 'json') {
    return `Ask only whether it is NULL, compare a column of type jsonb, or compare a generated column that holds the part in question: a cast is not possible here.`
  }
  if (operatorClass === 'like' || operatorClass === 'ilike') {
    return name === 'bytea' && operatorClass === 'ilike'
      ? 'Use LIKE.'
      : `Patterns are for texts: use = or <, or a generated column of type text.`
  }
  return WAY_OUT
}
