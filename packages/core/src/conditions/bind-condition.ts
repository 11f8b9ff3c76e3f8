import type { TableName } from '../contract/table-name.ts'
import { formatTableName } from '../contract/table-name.ts'
import { didYouMean } from '../options/nearest-name.ts'
import type { BoundColumn, BoundCondition, TypedConstant } from './bound-condition.ts'
import type { ColumnType, ConditionColumn } from './column-type.ts'
import { columnOf, conditionRefusal } from './condition-refusal.ts'
import type { Condition, ComparisonOperator, Constant, NumberType } from './condition.ts'
import { jsonConstantText } from './json-constant.ts'
import type { ComparedNumber } from './number-type.ts'
import { numberComparison, numberListComparison } from './number-type.ts'
import type { ConditionOperator } from './operator.ts'
import { OPERATORS } from './operator.ts'
import { operatorSupport } from './operator-support.ts'
import { operatorWayOut } from './operator-way-out.ts'
import { TREE_KINDS, treeMembers } from './tree-members.ts'

/**
 * Finds a condition's columns, and decides as PostgreSQL would which type each constant has.
 *
 * @param table whose columns these are, for messages
 * @throws RowtapError ERR_INVALID_OPTIONS for a column that is not there, and an operator that its type lacks.
 */
export function bindCondition(
  condition: Condition,
  columns: readonly ConditionColumn[],
  table: TableName | null = null,
): BoundCondition {
  switch (condition.kind) {
    case 'and':
    case 'or':
      return {
        kind: condition.kind,
        conditions: condition.conditions.map((part) => bindCondition(part, columns, table)),
      }
    case 'not':
      return { kind: 'not', condition: bindCondition(condition.condition, columns, table) }
    case 'constant':
      return condition
    default:
      return bindLeaf(condition, boundColumn(condition, columns, table))
  }
}

type Leaf = Extract<Condition, { readonly column: string }>

function bindLeaf(condition: Leaf, column: BoundColumn): BoundCondition {
  switch (condition.kind) {
    case 'null':
      checkOperator(column, condition.negated ? 'is not null' : 'is null')
      return { kind: 'null', ...column, negated: condition.negated }
    case 'boolean':
      checkOperator(column, 'boolean')
      return { kind: 'boolean', ...column, test: condition.test }
    case 'compare':
      return comparison(column, condition.operator, condition.constant, 0)
    case 'between': {
      const bound: BoundCondition = {
        kind: 'and',
        conditions: [comparison(column, 'gte', condition.low, 0), comparison(column, 'lte', condition.high, 1)],
      }
      return condition.negated ? { kind: 'not', condition: bound } : bound
    }
    case 'in':
      return list(column, condition.negated, condition.constants)
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

function boundColumn(condition: Leaf, columns: readonly ConditionColumn[], table: TableName | null): BoundColumn {
  const { column: name } = condition
  const index = columns.findIndex((column) => column.name === name)
  const column = columns[index]
  if (column !== undefined) return { index, column: name, type: column.type, origin: { condition, table } }
  const known = columns.map((other) => other.name)
  const whose = table === null ? 'The table' : `Table ${formatTableName(table)}`
  const hint =
    treeHint(condition) ||
    didYouMean(name, known) ||
    ` Its columns are ${known.map((other) => JSON.stringify(other)).join(', ')}.`
  throw conditionRefusal(
    'ERR_INVALID_OPTIONS',
    `${whose} has no column ${JSON.stringify(name)} (named in 'where').${hint}`,
    condition,
    'column',
  )
}

/** For `{ kind: 'and' }`, which is a column's condition to everybody who does not know what it was meant to be. */
function treeHint(condition: Leaf): string {
  if (condition.kind !== 'compare' || condition.column !== 'kind' || condition.operator !== 'eq') return ''
  const { text } = condition.constant
  const members = treeMembers(text)
  if (members !== null) return ` A condition tree of this kind has the members kind, ${members.join(', ')}.`
  return ` If a condition tree was meant: its kind is one of ${TREE_KINDS.join(', ')}.${didYouMean(text ?? '', TREE_KINDS)}`
}

function checkOperator(column: BoundColumn, operator: ConditionOperator): void {
  const support = operatorSupport(column.type, operator)
  if (support.where !== false) return
  const { origin, type } = column
  const what = operator === 'boolean' ? 'be' : `use ${OPERATORS[operator].sql} on`
  throw conditionRefusal(
    'ERR_INVALID_OPTIONS',
    `'where' cannot ${what} ${columnOf(column.column, origin)}. ${support.reason} ${operatorWayOut(type, operator)}`,
    origin.condition,
    'operator',
  )
}

/** Refuses a number that has a type of its own (`at`: the index of its constant) beside a column that has an operator, but not for it. */
function checkNumber(column: BoundColumn, operator: ConditionOperator, numberType: NumberType, at: number): void {
  const support = operatorSupport(column.type, operator, numberType)
  if (support.where !== false) return
  const { origin } = column
  const sentence = `'where' cannot compare ${columnOf(column.column, origin)} with a number. ${support.reason}`
  throw conditionRefusal('ERR_INVALID_OPTIONS', sentence, origin.condition, at)
}

function comparison(column: BoundColumn, operator: ComparisonOperator, constant: Constant, at: number): BoundCondition {
  const numberType = numberTypeOf(constant)
  checkOperator(column, operator)
  if (numberType !== null) checkNumber(column, operator, numberType, at)
  const as = numberType === null ? null : numberComparison(baseName(column.type), numberType)
  return { kind: 'compare', ...column, operator, constant: typed(column, operator, constant, as, false, at), as }
}

function list(column: BoundColumn, negated: boolean, constants: readonly Constant[]): BoundCondition {
  const operator = negated ? 'not in' : 'in'
  checkOperator(column, operator)
  const numberTypes: NumberType[] = []
  for (const [at, constant] of constants.entries()) {
    const numberType = numberTypeOf(constant)
    if (numberType === null || numberTypes.includes(numberType)) continue
    checkNumber(column, operator, numberType, at)
    numberTypes.push(numberType)
  }
  const as = listType(column, numberTypes, constants.length)
  const many = constants.length > 1
  return {
    kind: 'in',
    ...column,
    negated,
    constants: constants.map((constant, at) => typed(column, operator, constant, as, many, at)),
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
  at: number,
): TypedConstant | null {
  if (constant.text === null) return null
  if (constant.type === 'json') {
    const text = jsonConstantText(column, constant.text, at)
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
