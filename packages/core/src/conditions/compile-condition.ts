import type { Tuple } from '../contract/relation.ts'
import type { TableName } from '../contract/table-name.ts'
import { bindCondition } from './bind-condition.ts'
import type { BoundCondition, BoundList, NormalisedConstants } from './bound-condition.ts'
import type { ConditionColumn } from './column-type.ts'
import { compileComparison, compileList, strictComparison, strictTest } from './compile-comparison.ts'
import type { TextTest } from './comparison/comparison.ts'
import { columnOf, conditionRefusal } from './condition-refusal.ts'
import type { Condition } from './condition.ts'
import type { ConditionOperator } from './operator.ts'
import { OPERATORS } from './operator.ts'
import { operatorSupport } from './operator-support.ts'
import { WAY_OUT } from './operator-way-out.ts'
import type { Evaluate, Verdict } from './verdict.ts'
import { ANY, both, either, FALSE, negated, NULL, TRUE, TRUE_OR_FALSE, truthOf, verdictOf } from './verdict.ts'

/** A condition that is ready to be tested on rows. */
export interface CompiledCondition {
  /** What the condition is for a row. */
  evaluate(tuple: Tuple): Verdict
  /** Whether the condition is true for a row: it is known not to be also where it is NULL or false, no matter which. */
  readonly isTrue: (tuple: Tuple) => boolean | 'unavailable'
  /** Indexes of the columns that it reads, ascending. */
  readonly columns: readonly number[]
}

/**
 * Compiles a condition for rows of a table.
 *
 * @param columns the table's columns, in the order of its relation
 * @param constants the condition's constants as PostgreSQL prints them: see `normalisedConstants`
 * @param table whose rows these are, for messages
 * @throws RowtapError ERR_INVALID_OPTIONS where it does not suit the table, and ERR_CAPABILITY_UNSUPPORTED where only
 *   the database can evaluate it exactly.
 */
export function compileCondition(
  condition: Condition,
  columns: readonly ConditionColumn[],
  constants: NormalisedConstants,
  table: TableName | null = null,
): CompiledCondition {
  const used = new Set<number>()
  const verdicts = compile(bindCondition(condition, columns, table), constants, used)
  return {
    evaluate: (tuple) => verdictOf(verdicts(tuple)),
    isTrue: (tuple) => truthOf(verdicts(tuple)),
    columns: [...used].sort((left, right) => left - right),
  }
}

function compile(condition: BoundCondition, constants: NormalisedConstants, used: Set<number>): Evaluate {
  switch (condition.kind) {
    case 'and':
      return conjunction(conjuncts(condition, constants, used))
    case 'or':
      return disjunction(condition.conditions.map((part) => compile(part, constants, used)))
    case 'not': {
      const evaluate = compile(condition.condition, constants, used)
      return (tuple) => negated(evaluate(tuple))
    }
    case 'constant':
      return constant(condition.value)
    default:
      used.add(condition.index)
      checkExact(condition)
      return leaf(condition, constants)
  }
}

/** The parts of an AND. Comparisons of one column become one, so that its text is read once. */
function conjuncts(condition: BoundCondition, constants: NormalisedConstants, used: Set<number>): readonly Evaluate[] {
  const tests = new Map<number, TextTest[]>()
  const others: Evaluate[] = []
  for (const part of flattened(condition)) {
    if (part.kind === 'compare') checkExact(part)
    const test = part.kind === 'compare' ? strictComparison(part, constants) : null
    if (part.kind !== 'compare' || test === null) {
      others.push(compile(part, constants, used))
    } else {
      used.add(part.index)
      tests.set(part.index, [...(tests.get(part.index) ?? []), test])
    }
  }
  const compared = [...tests].map(([index, all]) => strictTest(index, every(all)))
  return [...compared, ...others]
}

function flattened(condition: BoundCondition): readonly BoundCondition[] {
  return condition.kind === 'and' ? condition.conditions.flatMap(flattened) : [condition]
}

function every(tests: readonly TextTest[]): TextTest {
  const [first, second] = tests
  if (first !== undefined && second === undefined) return first
  if (first !== undefined && second !== undefined && tests.length === 2) return (text) => first(text) && second(text)
  return (text) => tests.every((test) => test(text))
}

type Leaf = Extract<BoundCondition, { readonly column: string }>

function leaf(condition: Leaf, constants: NormalisedConstants): Evaluate {
  switch (condition.kind) {
    case 'null':
      return nullTest(condition.index, condition.negated)
    case 'boolean':
      return booleanTest(condition.index, condition.test)
    case 'compare':
      return compileComparison(condition, constants)
    case 'in':
      return condition.constants.length === 0 ? constant(condition.negated) : compileList(condition, constants)
  }
}

function conjunction(parts: readonly Evaluate[]): Evaluate {
  const [first, second] = parts
  if (first === undefined) return constant(true)
  if (second === undefined) return first
  if (parts.length === 2) {
    return (tuple) => {
      const left = first(tuple)
      return left === FALSE ? FALSE : both(left, second(tuple))
    }
  }
  return (tuple) => {
    let verdicts = TRUE
    for (const part of parts) {
      verdicts = both(verdicts, part(tuple))
      if (verdicts === FALSE) return FALSE
    }
    return verdicts
  }
}

function disjunction(parts: readonly Evaluate[]): Evaluate {
  const [first, second] = parts
  if (first === undefined) return constant(false)
  if (second === undefined) return first
  return (tuple) => {
    let verdicts = FALSE
    for (const part of parts) {
      verdicts = either(verdicts, part(tuple))
      if (verdicts === TRUE) return TRUE
    }
    return verdicts
  }
}

function constant(value: boolean | null): Evaluate {
  const verdicts = value === null ? NULL : value ? TRUE : FALSE
  return () => verdicts
}

function nullTest(index: number, isNegated: boolean): Evaluate {
  return (tuple) => {
    const text = tuple.text(index)
    if (text === undefined) return TRUE_OR_FALSE
    return (text === null) === isNegated ? FALSE : TRUE
  }
}

function booleanTest(index: number, test: Extract<Leaf, { readonly kind: 'boolean' }>['test']): Evaluate {
  if (test === 'value') {
    return (tuple) => {
      const text = tuple.text(index)
      if (text === undefined) return ANY
      return text === null ? NULL : text === 't' ? TRUE : FALSE
    }
  }
  const isNegated = test.startsWith('is not')
  const wanted = test.endsWith('true') ? 't' : test.endsWith('false') ? 'f' : null
  return (tuple) => {
    const text = tuple.text(index)
    if (text === undefined) return TRUE_OR_FALSE
    return (text === wanted) === isNegated ? FALSE : TRUE
  }
}

function checkExact(condition: Leaf): void {
  const operator = operatorOf(condition)
  const types = condition.kind === 'compare' || condition.kind === 'in' ? comparedAs(condition) : null
  const support = operatorSupport(condition.type, operator, types)
  if (support.where === 'process') return
  const { origin } = condition
  const what = operator === 'boolean' ? '' : `with ${OPERATORS[operator].sql} `
  const where = `'where' ${what}on ${columnOf(condition.column, origin)}`
  if (support.where === false) {
    const sentence = `${where} is not possible. ${support.reason}`
    throw conditionRefusal('ERR_INVALID_OPTIONS', sentence, origin.condition, 'operator')
  }
  throw conditionRefusal(
    'ERR_CAPABILITY_UNSUPPORTED',
    `${where} cannot be evaluated exactly outside the database. ${support.reason} ${WAY_OUT}`,
    origin.condition,
    'operator',
  )
}

/** Of numbers only the comparison of a numeric as float8 is not exact, and that is known from the type compared as. */
function comparedAs(condition: Extract<Leaf, { readonly kind: 'compare' | 'in' }>): 'float8' | null {
  return condition.as === 'float8' ? 'float8' : null
}

function operatorOf(condition: Leaf): ConditionOperator {
  switch (condition.kind) {
    case 'null':
      return condition.negated ? 'is not null' : 'is null'
    case 'boolean':
      return 'boolean'
    case 'compare':
      return condition.operator
    case 'in':
      return listOperator(condition)
  }
}

function listOperator(condition: BoundList): ConditionOperator {
  return condition.negated ? 'not in' : 'in'
}
