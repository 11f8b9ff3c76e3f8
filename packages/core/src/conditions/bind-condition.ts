import { invalidOptions } from '../options/check-option-names.ts'
import { didYouMean } from '../options/nearest-name.ts'
import type { BoundColumn, BoundCondition, TypedConstant } from './bound-condition.ts'
import type { ColumnType, ConditionColumn } from './column-type.ts'
import type { Condition, ComparisonOperator, Constant, NumberType } from './condition.ts'
import { jsonConstantText } from './json-constant.ts'
import type { ComparedNumber } from './number-type.ts'
import { numberComparison, numberListComparison } from './number-type.ts'
import type { ConditionOperator } from './operator.ts'
import { OPERATORS } from './operator.ts'
import { operatorSupport } from './operator-support.ts'

/**
 * Finds a condition's columns, and decides as PostgreSQL would which type each constant has.
 *
 * @throws RowtapError ERR_INVALID_OPTIONS for a column that is not there, and an operator that its type lacks.
 */
export function bindCondition(condition: Condition, columns: readonly ConditionColumn[]): BoundCondition {
  switch (condition.kind) {
    case 'and':
    case 'or':
      return { kind: condition.kind, conditions: condition.conditions.map((part) => bindCondition(part, columns)) }
    case 'not':
      return { kind: 'not', condition: bindCondition(condition.condition, columns) }
    case 'constant':
      return condition
    case 'null': {
      const column = columnOf(condition.column, columns)
      checkOperator(column, condition.negated ? 'is not null' : 'is null', null)
      return { kind: 'null', ...column, negated: condition.negated }
    }
    case 'boolean': {
      const column = columnOf(condition.column, columns)
      checkOperator(column, 'boolean', null)
      return { kind: 'boolean', ...column, test: condition.test }
    }
    case 'compare':
      return comparison(columnOf(condition.column, columns), condition.operator, condition.constant)
    case 'between': {
      const column = columnOf(condition.column, columns)
      const bound: BoundCondition = {
        kind: 'and',
        conditions: [comparison(column, 'gte', condition.low), comparison(column, 'lte', condition.high)],
      }
      return condition.negated ? { kind: 'not', condition: bound } : bound
    }
    case 'in':
      return list(columnOf(condition.column, columns), condition.negated, condition.constants)
  }
}

/** Every constant of a bound condition that is not NULL. */
export function constantsOf(condition: BoundCondition): readonly TypedConstant[] {
  switch (condition.kind) {
    case 'and':
    case 'or':
      return condition.conditions.flatMap(constantsOf)
    case 'not':
      return constantsOf(condition.condition)
    case 'compare':
      return condition.constant === null ? [] : [condition.constant]
    case 'in':
      return condition.constants.filter((constant) => constant !== null)
    case 'null':
    case 'boolean':
    case 'constant':
      return []
  }
}

function columnOf(name: string, columns: readonly ConditionColumn[]): BoundColumn {
  const index = columns.findIndex((column) => column.name === name)
  const column = columns[index]
  if (column !== undefined) return { index, column: name, type: column.type }
  const known = columns.map((other) => other.name)
  throw invalidOptions(`The table has no column ${JSON.stringify(name)} (named in 'where').${didYouMean(name, known)}`)
}

function checkOperator(column: BoundColumn, operator: ConditionOperator, numberType: NumberType | null): void {
  const support = operatorSupport(column.type, operator, numberType)
  if (support.where === false) {
    throw invalidOptions(
      `'where' cannot use '${operator}' on the column ${JSON.stringify(column.column)}. ${support.reason}`,
    )
  }
}

function comparison(column: BoundColumn, operator: ComparisonOperator, constant: Constant): BoundCondition {
  const numberType = numberTypeOf(constant)
  checkOperator(column, operator, numberType)
  const as = numberType === null ? null : numberComparison(baseName(column.type), numberType)
  return { kind: 'compare', ...column, operator, constant: typed(column, operator, constant, as, false), as }
}

function list(column: BoundColumn, negated: boolean, constants: readonly Constant[]): BoundCondition {
  const operator = negated ? 'not in' : 'in'
  checkOperator(column, operator, null)
  const numberTypes: NumberType[] = []
  for (const constant of constants) {
    const numberType = numberTypeOf(constant)
    if (numberType !== null && !numberTypes.includes(numberType)) numberTypes.push(numberType)
  }
  for (const numberType of numberTypes) checkOperator(column, operator, numberType)
  const as = listType(column, numberTypes, constants.length)
  const many = constants.length > 1
  return {
    kind: 'in',
    ...column,
    negated,
    constants: constants.map((constant) => typed(column, operator, constant, as, many)),
    as,
  }
}

/** A list of one is a plain comparison to PostgreSQL. */
function listType(column: BoundColumn, numberTypes: readonly NumberType[], length: number): ComparedNumber | null {
  const [first] = numberTypes
  if (first === undefined) return null
  if (length === 1) return numberComparison(baseName(column.type), first)
  return numberListComparison(baseName(column.type), numberTypes)
}

function baseName(type: ColumnType): string {
  return type.kind === 'base' ? type.name : ''
}

function numberTypeOf(constant: Constant): NumberType | null {
  return constant.text === null || constant.type === 'json' ? null : constant.type
}

function typed(
  column: BoundColumn,
  operator: ConditionOperator,
  constant: Constant,
  as: ComparedNumber | null,
  many: boolean,
): TypedConstant | null {
  if (constant.text === null) return null
  if (constant.type === 'json') {
    const text = jsonConstantText(column, constant.text)
    return { text, castName: literalType(column.type, operator, many), comparedAs: null, explicit: false }
  }
  if (constant.type !== null) {
    const castName = numberCastName(constant.type)
    const comparedAs = as === null || as === constant.type ? null : numberCastName(as)
    return { text: constant.text, castName, comparedAs, explicit: true }
  }
  // Beside numbers that have types of their own a constant without one becomes what they are compared as.
  const castName = as === null ? literalType(column.type, operator, many) : numberCastName(as)
  return { text: constant.text, castName, comparedAs: null, explicit: false }
}

function numberCastName(type: ComparedNumber): string {
  return `"pg_catalog"."${type}"`
}

/**
 * The type that PostgreSQL reads a quoted constant as beside a column of this type. Of several (`many`) in one list it
 * makes an array of the column's type.
 */
function literalType(type: ColumnType, operator: ConditionOperator, many: boolean): string {
  if (type.kind !== 'base') return type.castName
  const { class: operatorClass } = OPERATORS[operator]
  if (operatorClass === 'like' || operatorClass === 'ilike') return type.name === 'bytea' ? type.castName : TEXT
  // These two have no operators of their own.
  if (type.name === 'varchar') return TEXT
  return type.name === 'cidr' && !many ? '"pg_catalog"."inet"' : type.castName
}

const TEXT = '"pg_catalog"."text"'
