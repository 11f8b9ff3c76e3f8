import { didYouMean } from '../options/nearest-name.ts'
import { valueKind } from '../options/value-kind.ts'
import type { Condition } from './condition.ts'

/** A value that has the `kind` of a condition tree, whatever its other members are. */
interface Tree {
  readonly kind: Condition['kind']
}

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

/** The kinds of condition trees. */
export const TREE_KINDS: readonly string[] = Object.keys(MEMBERS)

/** Every name that a tree's members have, besides `kind`. */
const MEMBER_NAMES: ReadonlySet<string> = new Set(Object.values(MEMBERS).flat())

/** Whether a value has exactly the members of a condition tree's node. */
export function isConditionTree(value: unknown): value is Tree {
  if (!hasTreeKind(value)) return false
  const { missing, unknown } = difference(value)
  return missing.length === 0 && unknown.length === 0
}

/**
 * Whether a value is no condition tree, but was hardly meant to be anything else: its `kind` is a tree's, and its other
 * members are a tree's, too, or all of those that this kind has.
 */
export function isMalformedTree(value: unknown): value is Tree {
  if (!hasTreeKind(value)) return false
  const { others, missing, unknown } = difference(value)
  if (others.length === 0 || (missing.length === 0 && unknown.length === 0)) return false
  return missing.length === 0 || others.every((name) => MEMBER_NAMES.has(name))
}

/** What is wrong with what is no condition tree, in a sentence. */
export function notATree(value: unknown, place: string): string {
  if (hasTreeKind(value)) return wrongMembers(value, place)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return `${place}, takes a condition tree, and not ${valueKind(value)}.`
  }
  const given: unknown = 'kind' in value ? value.kind : undefined
  const hint = typeof given === 'string' ? didYouMean(given, TREE_KINDS) : ''
  return `${place}, has something that is no condition tree: its kind is one of ${TREE_KINDS.join(', ')}.${hint}`
}

/** The members besides `kind` of a kind of condition tree; `null`: there is no such kind. */
export function treeMembers(kind: unknown): readonly string[] | null {
  return isOneOf(MEMBERS, kind) ? MEMBERS[kind] : null
}

/** Whether a value is one of a table's names. */
export function isOneOf<K extends string>(table: Readonly<Record<K, unknown>>, value: unknown): value is K {
  return typeof value === 'string' && Object.hasOwn(table, value)
}

function hasTreeKind(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && 'kind' in value && isOneOf(MEMBERS, value.kind)
}

interface Difference {
  /** The value's members besides `kind`. */
  readonly others: readonly string[]
  readonly missing: readonly string[]
  readonly unknown: readonly string[]
}

function difference(value: Tree): Difference {
  const members = MEMBERS[value.kind]
  const others = Object.keys(value).filter((name) => name !== 'kind')
  return {
    others,
    missing: members.filter((member) => !others.includes(member)),
    unknown: others.filter((name) => !members.includes(name)),
  }
}

function wrongMembers(value: Tree, place: string): string {
  const { missing, unknown } = difference(value)
  const wrong = [
    ...(missing.length === 0 ? [] : [`lacks its member ${missing.join(', ')}`]),
    ...(unknown.length === 0
      ? []
      : [`has ${unknown.join(', ')}${missing.length === 0 ? ', which it does not know' : ''}`]),
  ]
  return (
    `${place} has a condition tree of the kind '${value.kind}', whose members are ${MEMBERS[value.kind].join(', ')}: it ${wrong.join(' and ')}. ` +
    `If these are columns, write each column in an object of its own: { and: [{ kind: … }, …] }.`
  )
}
