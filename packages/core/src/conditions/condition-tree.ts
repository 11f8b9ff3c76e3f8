import { invalidOptions } from '../options/check-option-names.ts'
import { didYouMean } from '../options/nearest-name.ts'
import type { BooleanCondition, ComparisonOperator, Condition, Constant, ConstantType } from './condition.ts'
import { isStorableText } from './storable-text.ts'

type Members = Readonly<Record<string, unknown>>

/** The members of each kind of condition besides `kind`: total by type. */
const MEMBERS: Readonly<Record<Condition['kind'], readonly string[]>> = {
  and: ['conditions'],
  or: ['conditions'],
  not: ['condition'],
  compare: ['column', 'operator', 'constant'],
  in: ['column', 'negated', 'constants'],
  between: ['column', 'negated', 'low', 'high'],
  null: ['column', 'negated'],
  boolean: ['column', 'test'],
  constant: ['value'],
}

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

/** Whether a value has exactly the members of a condition tree's node. */
export function isConditionTree(value: unknown): value is object {
  if (typeof value !== 'object' || value === null || !('kind' in value)) return false
  const { kind } = value
  if (!isOneOf(MEMBERS, kind)) return false
  const names = Object.keys(value)
  const members = MEMBERS[kind]
  return names.length === members.length + 1 && members.every((member) => names.includes(member))
}

/**
 * Checks a condition tree that comes from outside the type system: from a configuration file, from another process.
 *
 * @throws RowtapError ERR_INVALID_OPTIONS
 */
export function conditionTree(value: unknown, place: string): Condition {
  if (!isConditionTree(value)) throw invalidOptions(notATree(value, place))
  const node: Members = { ...value }
  const kind = oneOf(MEMBERS, node['kind'], `${place}, kind,`)
  const here = `${place}, ${kind},`
  switch (kind) {
    case 'and':
    case 'or':
      return { kind, conditions: listOf(node['conditions'], here).map((one) => conditionTree(one, here)) }
    case 'not':
      return { kind, condition: conditionTree(node['condition'], here) }
    case 'compare':
      return {
        kind,
        column: columnName(node['column'], here),
        operator: oneOf(COMPARISONS, node['operator'], here),
        constant: constant(node['constant'], here),
      }
    case 'in':
      return {
        kind,
        column: columnName(node['column'], here),
        negated: flag(node['negated'], here),
        constants: listOf(node['constants'], here).map((one) => constant(one, here)),
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

function notATree(value: unknown, place: string): string {
  if (typeof value === 'object' && value !== null && 'kind' in value && isOneOf(MEMBERS, value.kind)) {
    return `${place} has a condition of the kind '${value.kind}', whose members are ${MEMBERS[value.kind].join(', ')} and no others.`
  }
  return `${place} has something that is no condition: its kind is one of ${Object.keys(MEMBERS).join(', ')}.`
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
  throw invalidOptions(`${place} takes true or false, not ${JSON.stringify(value)}.`)
}

function listOf(value: unknown, place: string): readonly unknown[] {
  if (Array.isArray(value)) return value
  throw invalidOptions(`${place} takes a list.`)
}

function oneOf<K extends string>(table: Readonly<Record<K, unknown>>, value: unknown, place: string): K {
  if (isOneOf(table, value)) return value
  const known = Object.keys(table)
  const hint = typeof value === 'string' ? didYouMean(value, known) : ''
  throw invalidOptions(`${place} has ${JSON.stringify(value)} where one of ${known.join(', ')} belongs.${hint}`)
}

function isOneOf<K extends string>(table: Readonly<Record<K, unknown>>, value: unknown): value is K {
  return typeof value === 'string' && Object.hasOwn(table, value)
}
