import { invalidOptions } from '../options/check-option-names.ts'
import { didYouMean } from '../options/nearest-name.ts'
import { shownValue, valueKind } from '../options/value-kind.ts'
import type { ComparisonOperator, Condition } from './condition.ts'
import { checkLevels } from './condition-depth.ts'
import { isConditionSource } from './condition-source.ts'
import { conditionTree } from './condition-tree.ts'
import { constantOf } from './constant-of.ts'
import { isConditionTree, isMalformedTree, notATree } from './tree-members.ts'

/**
 * The condition that a `where` means: the object form, or a tree that is taken as it is. An object is a tree where its
 * members are exactly a tree's: a table with columns of those names is reached with `{ and: [{ kind: … }, { value: … }] }`.
 *
 * @throws RowtapError ERR_INVALID_OPTIONS for anything else.
 */
export function conditionOf(where: unknown): Condition {
  return condition(where, `'where'`, 0)
}

function condition(where: unknown, place: string, levels: number): Condition {
  checkLevels(levels)
  if (isConditionTree(where)) return conditionTree(where, place, levels)
  if (isConditionSource(where)) {
    throw invalidOptions(
      `${place} has a condition that still has to be parsed, such as sql\`…\`: it is the whole 'where', or await its toCondition() first.`,
    )
  }
  if (isMalformedTree(where)) throw invalidOptions(notATree(where, place))
  if (!isPlainObject(where)) throw invalidOptions(notAnObject(where, place))
  const parts = Object.entries(where)
  const inside = parts.length === 1 ? levels : levels + 1
  const conditions = parts.map(([name, value]) => part(name, value, place, inside))
  checkLevels(inside)
  const [first] = conditions
  return conditions.length === 1 && first !== undefined ? first : { kind: 'and', conditions }
}

function part(name: string, value: unknown, place: string, levels: number): Condition {
  const here = `${place} at ${JSON.stringify(name)}`
  switch (name) {
    case 'and':
    case 'or':
      if (!Array.isArray(value)) {
        throw invalidOptions(`${here} takes a list of conditions, and not ${valueKind(value)}. ${columnNamed(name)}`)
      }
      checkLevels(levels + 1)
      return { kind: name, conditions: value.map((one: unknown, at) => condition(one, `${here}[${at}]`, levels + 1)) }
    case 'not':
      if (typeof value !== 'object' || value === null || Array.isArray(value)) {
        throw invalidOptions(`${here} takes one condition, and not ${valueKind(value)}. ${columnNamed(name)}`)
      }
      return { kind: 'not', condition: condition(value, here, levels + 1) }
    default:
      return columnCondition(name, value, here, levels)
  }
}

function columnNamed(name: string): string {
  return `A column ${JSON.stringify(name)} is reached with { kind: 'compare', column: ${JSON.stringify(name)}, … }.`
}

function notAnObject(where: unknown, place: string): string {
  const takes = `${place} takes an object of columns and what they must be`
  if (typeof where === 'string') return `${takes}. For a condition in SQL write sql\`…\` of @rowtap/sql.`
  if (Array.isArray(where)) return `${takes}, and not a list: { and: […] } is true where all of a list are.`
  return `${takes}, and not ${valueKind(where)}.`
}

function columnCondition(column: string, value: unknown, place: string, levels: number): Condition {
  if (value === null) return { kind: 'null', column, negated: false }
  if (!isPlainObject(value)) return { kind: 'compare', column, operator: 'eq', constant: constantOf(value, place) }
  const conditions = Object.entries(value).map(([name, operand]) => operatorCondition(column, name, operand, place))
  const [first] = conditions
  if (first === undefined) {
    throw invalidOptions(`${place} has no operator. An object as a value is written { eq: … }.`)
  }
  if (conditions.length === 1) return first
  checkLevels(levels + 1)
  return { kind: 'and', conditions }
}

type MakeCondition = (column: string, operand: unknown, place: string) => Condition

/** The operators of the object form. */
const OPERATORS: Readonly<Record<string, MakeCondition>> = {
  eq: comparing('eq', `{ isNull: true }`),
  neq: comparing('neq', `{ isNull: false }`),
  lt: comparing('lt', null),
  lte: comparing('lte', null),
  gt: comparing('gt', null),
  gte: comparing('gte', null),
  in: listing(false),
  notIn: listing(true),
  isNull: (column, operand, place) => {
    if (typeof operand === 'boolean') return { kind: 'null', column, negated: !operand }
    throw invalidOptions(`${place} takes true or false, and not ${shownValue(operand)}.`)
  },
  like: matching('like'),
  notLike: matching('not like'),
  ilike: matching('ilike'),
  notIlike: matching('not ilike'),
  between: ranging(false),
  notBetween: ranging(true),
  isDistinctFrom: (column, operand, place) => ({
    kind: 'compare',
    column,
    operator: 'is distinct from',
    constant: constantOf(operand, place),
  }),
  isNotDistinctFrom: (column, operand, place) => ({
    kind: 'compare',
    column,
    operator: 'is not distinct from',
    constant: constantOf(operand, place),
  }),
}

function operatorCondition(column: string, name: string, operand: unknown, place: string): Condition {
  const make = Object.hasOwn(OPERATORS, name) ? OPERATORS[name] : undefined
  if (make === undefined) {
    const known = Object.keys(OPERATORS)
    throw invalidOptions(
      `${place} has no operator ${JSON.stringify(name)}.${didYouMean(name, known)} The operators are ${known.join(', ')}; a value that is an object is written { eq: … }.`,
    )
  }
  return make(column, operand, `${place}, ${name},`)
}

function comparing(operator: ComparisonOperator, insteadOfNull: string | null): MakeCondition {
  return (column, operand, place) => {
    if (operand === null) {
      const hint = insteadOfNull === null ? 'leave it out' : `write ${insteadOfNull}`
      throw invalidOptions(`${place} is null, which is true of no row: ${hint}.`)
    }
    return { kind: 'compare', column, operator, constant: constantOf(operand, place) }
  }
}

function matching(operator: ComparisonOperator): MakeCondition {
  return (column, operand, place) => {
    if (typeof operand !== 'string')
      throw invalidOptions(`${place} takes a pattern, which is a string, and not ${valueKind(operand)}.`)
    return { kind: 'compare', column, operator, constant: constantOf(operand, place) }
  }
}

function listing(negated: boolean): MakeCondition {
  return (column, operand, place) => {
    if (!Array.isArray(operand)) throw invalidOptions(`${place} takes a list of values, and not ${valueKind(operand)}.`)
    if (operand.includes(null) && (negated || operand.every((value) => value === null))) {
      throw invalidOptions(
        negated
          ? `${place} has null in its list, and so is true of no row: leave it out, and ask for NULL with { isNull: … } beside it.`
          : `${place} has nothing but null in its list, to which no value is equal: write { isNull: true }.`,
      )
    }
    return {
      kind: 'in',
      column,
      negated,
      constants: operand.map((value: unknown, at) => constantOf(value, element(place, at))),
    }
  }
}

function ranging(negated: boolean): MakeCondition {
  return (column, operand, place) => {
    if (!Array.isArray(operand) || operand.length !== 2 || operand.includes(null)) {
      throw invalidOptions(`${place} takes a list of two values: the lowest and the highest.`)
    }
    const [low, high]: readonly unknown[] = operand
    return {
      kind: 'between',
      column,
      negated,
      low: constantOf(low, element(place, 0)),
      high: constantOf(high, element(place, 1)),
    }
  }
}

/** `'where' at "id", in[1],` */
function element(place: string, at: number): string {
  return `${place.replace(/,$/u, '')}[${at}],`
}

function isPlainObject(value: unknown): value is object {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}
