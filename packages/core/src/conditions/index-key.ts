import type { BoundCondition, NormalisedConstants, TypedConstant } from './bound-condition.ts'
import { AS_WRITTEN, constantKey } from './bound-condition.ts'
import { bindCondition } from './bind-condition.ts'
import type { ColumnType, ConditionColumn } from './column-type.ts'
import { comparisonOf } from './comparison/comparison-of.ts'
import type { Condition } from './condition.ts'
import { operatorSupport } from './operator-support.ts'
import { OrderedValue, valueOrder } from './ordered-value.ts'

/**
 * Makes of a value's text a string that is the same for two values exactly where PostgreSQL's `=` is true of them;
 * `null` for types of which that is not known in the process.
 */
export function keyFunction(type: ColumnType): ((text: string) => string) | null {
  if (operatorSupport(type, 'eq').where !== 'process') return null
  return comparisonOf(type)?.key ?? null
}

/**
 * The same for values that are compared with constants: it throws ERR_DECODE for one that its type did not have when it
 * was last read, of which it is not known what it is equal to.
 */
export function checkedKeyFunction(type: ColumnType): ((text: string) => string) | null {
  if (operatorSupport(type, 'eq').where !== 'process') return null
  const comparison = comparisonOf(type)
  return comparison?.checkedKey ?? comparison?.key ?? null
}

/** Compares two values' texts in PostgreSQL's order; `null` for types whose order is not known in the process. */
export function orderFunction(type: ColumnType): ((left: string, right: string) => number) | null {
  const order = valueOrder(type)
  if (order === null) return null
  return (left, right) => new OrderedValue(left, order).compare(new OrderedValue(right, order))
}

/** A column that must have one of some values, whatever else a condition asks. */
export interface FixedColumn {
  /** The column's index in the relation. */
  readonly index: number
  /** The keys of those values, as {@link keyFunction} makes them of the column's text. */
  readonly keys: readonly string[]
  /** Whether the condition asks nothing else: it is true of every row where the column's key is one of `keys`. */
  readonly decides: boolean
}

/**
 * The columns that a condition fixes to values: it is not true of a row where such a column's key is none of `keys`,
 * or where the column is NULL. An index over listeners is made of one of them.
 */
export function fixedColumns(
  condition: Condition,
  columns: readonly ConditionColumn[],
  constants: NormalisedConstants,
): readonly FixedColumn[] {
  return fixedIn(bindCondition(condition, columns), constants)
}

function fixedIn(condition: BoundCondition, constants: NormalisedConstants): readonly FixedColumn[] {
  switch (condition.kind) {
    case 'and': {
      const parts = condition.conditions.flatMap((part) => fixedIn(part, constants))
      return condition.conditions.length === 1 ? parts : parts.map((part) => ({ ...part, decides: false }))
    }
    case 'compare':
      return condition.operator === 'eq' ? fixed(condition, [condition.constant], constants) : []
    case 'in':
      return condition.negated ? [] : fixed(condition, condition.constants, constants)
    case 'boolean':
      if (condition.test !== 'value' && condition.test !== 'is true') return []
      return [{ index: condition.index, keys: ['t'], decides: true }]
    case 'or':
    case 'not':
    case 'null':
    case 'constant':
      return []
  }
}

function fixed(
  condition: Extract<BoundCondition, { readonly kind: 'compare' | 'in' }>,
  list: readonly (TypedConstant | null)[],
  constants: NormalisedConstants,
): readonly FixedColumn[] {
  const { index, type } = condition
  if (!isOfColumnsType(condition)) return []
  const key = keyFunction(type)
  if (key === null) return []
  const keys = new Set<string>()
  for (const constant of list) {
    if (constant === null) continue
    const text = printedText(constant, constants)
    if (text === undefined) return []
    keys.add(key(text))
  }
  return [{ index, keys: [...keys], decides: true }]
}

/** A constant's text as PostgreSQL prints it: the condition's own string where that is the same, so that it is there once. */
export function printedText(constant: TypedConstant, constants: NormalisedConstants): string | undefined {
  return constants === AS_WRITTEN ? constant.text : constants.get(constantKey(constant))
}

/** Whether constants have the column's type: another can be equal to several values, and its text is not theirs. */
export function isOfColumnsType({ type, as }: Extract<BoundCondition, { readonly kind: 'compare' | 'in' }>): boolean {
  return as === null || (type.kind === 'base' && (type.name === as || (isInteger(type.name) && isInteger(as))))
}

function isInteger(type: string): boolean {
  return type === 'int2' || type === 'int4' || type === 'int8'
}
