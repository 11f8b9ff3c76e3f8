import { RowtapError } from '../rowtap-error.ts'
import type { BoundComparison, BoundList, NormalisedConstants, TypedConstant } from './bound-condition.ts'
import { constantKey } from './bound-condition.ts'
import type { Comparison, TextOrder, TextTest } from './comparison/comparison.ts'
import { sameText } from './comparison/comparison.ts'
import { comparisonOf, numberComparisonOf } from './comparison/comparison-of.ts'
import { asciiIlikeTest, isLikePattern, likeTest } from './comparison/like.ts'
import { columnOf, conditionRefusal } from './condition-refusal.ts'
import type { ComparisonOperator } from './condition.ts'
import { WAY_OUT } from './operator-way-out.ts'
import type { Evaluate } from './verdict.ts'
import { ANY, FALSE, NULL, TRUE, TRUE_OR_FALSE } from './verdict.ts'

/** Compiles `column operator constant`, whose operator is known to be exact in the process. */
export function compileComparison(condition: BoundComparison, constants: NormalisedConstants): Evaluate {
  const { index, operator } = condition
  const strict = strictComparison(condition, constants)
  if (strict !== null) return strictTest(index, strict)
  if (operator !== 'is distinct from' && operator !== 'is not distinct from') return () => NULL
  const constant = condition.constant === null ? null : normalised(condition.constant, constants)
  const equal = constant === null ? null : comparisonFor(condition).equalTo(constant)
  return distinctTest(index, equal, operator === 'is distinct from')
}

/** The test that a value which is not NULL has to pass, of an operator that is NULL for NULL, and only for NULL. */
export function strictComparison(condition: BoundComparison, constants: NormalisedConstants): TextTest | null {
  const { operator, constant } = condition
  if (constant === null || operator === 'is distinct from' || operator === 'is not distinct from') return null
  return testOf(condition, operator, normalised(constant, constants))
}

/** Compiles `column [NOT] IN (…)` with one constant or more. */
export function compileList(condition: BoundList, constants: NormalisedConstants): Evaluate {
  const { index } = condition
  const texts = condition.constants.flatMap((constant) => (constant === null ? [] : [normalised(constant, constants)]))
  const found = condition.negated ? FALSE : TRUE
  // Whether a value is none of the list is not known where the list has a NULL.
  const missing = texts.length < condition.constants.length ? NULL : condition.negated ? TRUE : FALSE
  const test = memberTest(comparisonFor(condition), texts)
  return (tuple) => {
    const text = tuple.text(index)
    if (text === null) return NULL
    if (text === undefined) return ANY
    return test(text) ? found : missing
  }
}

function memberTest(comparison: Comparison, constants: readonly string[]): TextTest {
  const { key, checkedKey } = comparison
  if (key === null || constants.length < 4) {
    const tests = constants.map((constant) => comparison.equalTo(constant))
    return (text) => tests.some((test) => test(text))
  }
  const keys = new Set(constants.map(key))
  if (checkedKey !== undefined) return (text) => keys.has(checkedKey(text))
  return key === sameText ? (text) => keys.has(text) : (text) => keys.has(key(text))
}

/** Makes of a test on a text one on a row: NULL is NULL. */
export function strictTest(index: number, test: TextTest): Evaluate {
  return (tuple) => {
    const text = tuple.text(index)
    if (text === null) return NULL
    if (text === undefined) return ANY
    return test(text) ? TRUE : FALSE
  }
}

function distinctTest(index: number, equal: TextTest | null, wanted: boolean): Evaluate {
  return (tuple) => {
    const text = tuple.text(index)
    if (text === undefined) return TRUE_OR_FALSE
    const distinct = text === null || equal === null ? text !== null || equal !== null : !equal(text)
    return distinct === wanted ? TRUE : FALSE
  }
}

type OrdinaryOperator = Exclude<ComparisonOperator, 'is distinct from' | 'is not distinct from'>

function testOf(condition: BoundComparison, operator: OrdinaryOperator, constant: string): TextTest {
  switch (operator) {
    case 'eq':
      return comparisonFor(condition).equalTo(constant)
    case 'neq':
      return not(comparisonFor(condition).equalTo(constant))
    case 'lt':
    case 'lte':
    case 'gt':
    case 'gte':
      return orderTest(operator, orderFor(condition, constant))
    case 'like':
      return likeTest(pattern(condition, constant))
    case 'not like':
      return not(likeTest(pattern(condition, constant)))
    case 'ilike':
      return asciiIlikeTest(pattern(condition, constant))
    case 'not ilike':
      return not(asciiIlikeTest(pattern(condition, constant)))
  }
}

function orderTest(operator: 'lt' | 'lte' | 'gt' | 'gte', order: TextOrder): TextTest {
  switch (operator) {
    case 'lt':
      return (text) => order(text) < 0
    case 'lte':
      return (text) => order(text) <= 0
    case 'gt':
      return (text) => order(text) > 0
    case 'gte':
      return (text) => order(text) >= 0
  }
}

function not(test: TextTest): TextTest {
  return (text) => !test(text)
}

function pattern(condition: BoundComparison, constant: string): string {
  if (isLikePattern(constant)) return constant
  throw conditionRefusal(
    'ERR_INVALID_OPTIONS',
    `The pattern '${constant}' for ${columnOf(condition.column, condition.origin)} must not end with its escape character: end it with two backslashes to ask for one.`,
    condition.origin.condition,
    0,
  )
}

function normalised(constant: TypedConstant, constants: NormalisedConstants): string {
  const text = constants.get(constantKey(constant))
  if (text !== undefined) return text
  throw new RowtapError('ERR_DRIVER_CONTRACT', {
    message: `A condition was compiled before PostgreSQL had read its constant ${JSON.stringify(constant.text)}.`,
  })
}

function comparisonFor(condition: BoundComparison | BoundList): Comparison {
  const { type, as } = condition
  const comparison = as === null || type.kind !== 'base' ? comparisonOf(type) : numberComparisonOf(type, as)
  if (comparison === null) throw inexact(condition)
  return comparison
}

function orderFor(condition: BoundComparison, constant: string): TextOrder {
  const { compareTo } = comparisonFor(condition)
  if (compareTo === null) throw inexact(condition)
  return compareTo(constant)
}

function inexact({ type, column, origin }: BoundComparison | BoundList): RowtapError {
  return conditionRefusal(
    'ERR_CAPABILITY_UNSUPPORTED',
    `Only PostgreSQL compares values of the type ${type.displayName} exactly (${columnOf(column, origin)}, in 'where'). ${WAY_OUT}`,
    origin.condition,
    'operator',
  )
}
