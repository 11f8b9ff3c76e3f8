import { invalidOptions } from '../options/check-option-names.ts'
import { didYouMean } from '../options/nearest-name.ts'
import { shownValue, valueKind } from '../options/value-kind.ts'
import { checkLevels } from './condition-depth.ts'
import { placesOf, withPlaces } from './condition-places.ts'
import type { BooleanCondition, ComparisonOperator, Condition, Constant, ConstantType } from './condition.ts'
import { isStorableText } from './storable-text.ts'
import { isConditionTree, isOneOf, notATree } from './tree-members.ts'

const COMPARISONS: Readonly<Record<ComparisonOperator, true>> = {
  eq: true,
  neq: true,
  lt: true,
  lte: true,
  gt: true,
  gte: true,
  like: true,
  'not like': true,
  ilike: true,
  'not ilike': true,
  'is distinct from': true,
  'is not distinct from': true,
}

const TESTS: Readonly<Record<BooleanCondition['test'], true>> = {
  value: true,
  'is true': true,
  'is not true': true,
  'is false': true,
  'is not false': true,
  'is unknown': true,
  'is not unknown': true,
}

const CONSTANT_TYPES: Readonly<Record<ConstantType, true>> = {
  int4: true,
  int8: true,
  numeric: true,
  float8: true,
  json: true,
}

/**
 * Checks a condition tree that comes from outside the type system: from a configuration file, from another process.
 *
 * @param levels how many `and`, `or` and `not` are around it
 * @throws RowtapError ERR_INVALID_OPTIONS
 */
export function conditionTree(value: unknown, place: string, levels: number = 0): Condition {
  if (!isConditionTree(value)) throw invalidOptions(notATree(value, place))
  const inside = value.kind === 'and' || value.kind === 'or' || value.kind === 'not' ? levels + 1 : levels
  checkLevels(inside)
  const condition = checkedTree(value.kind, { ...value }, `${place}, ${value.kind}`, inside)
  const places = placesOf(value)
  return places === null ? condition : withPlaces(condition, places)
}

function checkedTree(
  kind: Condition['kind'],
  node: Readonly<Record<string, unknown>>,
  inside: string,
  levels: number,
): Condition {
  const here = `${inside},`
  switch (kind) {
    case 'and':
    case 'or':
      return {
        kind,
        conditions: listOf(node['conditions'], here, 'conditions').map((one, at) =>
          conditionTree(one, `${inside}[${at}]`, levels),
        ),
      }
    case 'not':
      return { kind, condition: conditionTree(node['condition'], inside, levels) }
    case 'compare':
      return {
        kind,
        column: columnName(node['column'], here),
        operator: operator(node['operator'], here),
        constant: constant(node['constant'], here),
      }
    case 'in':
      return {
        kind,
        column: columnName(node['column'], here),
        negated: flag(node['negated'], here),
        constants: listOf(node['constants'], here, 'constants').map((one) => constant(one, here)),
      }
    case 'between':
      return {
        kind,
        column: columnName(node['column'], here),
        negated: flag(node['negated'], here),
        low: constant(node['low'], here),
        high: constant(node['high'], here),
      }
    case 'null':
      return { kind, column: columnName(node['column'], here), negated: flag(node['negated'], here) }
    case 'boolean':
      return { kind, column: columnName(node['column'], here), test: oneOf(TESTS, node['test'], here) }
    case 'constant':
      return { kind, value: node['value'] === null ? null : flag(node['value'], here) }
  }
}

function constant(value: unknown, place: string): Constant {
  if (typeof value === 'object' && value !== null && 'text' in value && 'type' in value) {
    const { text, type } = value
    const typeName = type === null ? null : oneOf(CONSTANT_TYPES, type, place)
    if (text === null) return { text, type: typeName }
    if (typeof text === 'string' && isStorableText(text)) return { text, type: typeName }
  }
  throw invalidOptions(`${place} has a constant that is not { text, type }, with a text that PostgreSQL can hold.`)
}

function columnName(value: unknown, place: string): string {
  if (typeof value === 'string' && value !== '') return value
  throw invalidOptions(`${place} has no column's name as 'column'.`)
}

function flag(value: unknown, place: string): boolean {
  if (typeof value === 'boolean') return value
  throw invalidOptions(`${place} takes true or false, not ${shownValue(value)}.`)
}

function listOf(value: unknown, place: string, what: string): readonly unknown[] {
  if (Array.isArray(value)) return value
  throw invalidOptions(`${place} takes a list of ${what}, and not ${valueKind(value)}.`)
}

function operator(value: unknown, place: string): ComparisonOperator {
  if (isOneOf(COMPARISONS, value)) return value
  const known = Object.keys(COMPARISONS)
  const hint = typeof value === 'string' ? didYouMean(value, known) : ''
  throw invalidOptions(
    `${place} has no operator ${shownValue(value)}.${hint} The operators are ${known.join(', ')}; lists, ranges and NULL have kinds of their own.`,
  )
}

function oneOf<K extends string>(table: Readonly<Record<K, unknown>>, value: unknown, place: string): K {
  if (isOneOf(table, value)) return value
  const known = Object.keys(table)
  const hint = typeof value === 'string' ? didYouMean(value, known) : ''
  throw invalidOptions(`${place} has ${shownValue(value)} where one of ${known.join(', ')} belongs.${hint}`)
}
