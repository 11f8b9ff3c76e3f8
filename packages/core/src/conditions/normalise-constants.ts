import { invalidOptions } from '../options/check-option-names.ts'
import type { TableName } from '../contract/table-name.ts'
import { RowtapError } from '../rowtap-error.ts'
import { bindCondition, constantsOf } from './bind-condition.ts'
import type { BoundCondition, NormalisedConstants, TypedConstant } from './bound-condition.ts'
import { AS_WRITTEN, constantKey } from './bound-condition.ts'
import type { ConditionColumn } from './column-type.ts'
import { columnOf, conditionRefusal } from './condition-refusal.ts'
import type { Condition } from './condition.ts'
import { isStorableText } from './storable-text.ts'

/** A constant to be read and printed by PostgreSQL. */
export type ConstantToNormalise = Pick<TypedConstant, 'text' | 'castName' | 'comparedAs'>

/** What PostgreSQL made of a constant: the text of the type's output function, or the reason why it cannot be read. */
export type NormalisedConstant = { readonly text: string } | { readonly error: string }

/**
 * Has PostgreSQL read constants and print them again, so that nobody else ever reads what a user wrote. Gives one
 * answer for each, in order. Rejects only where PostgreSQL could not be asked.
 */
export type NormaliseConstants = (constants: readonly ConstantToNormalise[]) => Promise<readonly NormalisedConstant[]>

/**
 * Reads and prints again every constant of a condition. Constants whose text is known to be what PostgreSQL would
 * print are not sent, so that a condition such as `id = 5` costs no round trip.
 *
 * @param table whose columns these are, for messages
 * @throws RowtapError ERR_INVALID_OPTIONS with PostgreSQL's message, where a constant does not fit its type.
 */
export async function normalisedConstants(
  condition: Condition,
  columns: readonly ConditionColumn[],
  normalise: NormaliseConstants,
  table: TableName | null = null,
): Promise<NormalisedConstants> {
  return normalisedBound(bindCondition(condition, columns, table), normalise)
}

async function normalisedBound(bound: BoundCondition, normalise: NormaliseConstants): Promise<NormalisedConstants> {
  const texts = new Map<string, string>()
  const wanted = new Map<string, TypedConstant>()
  for (const constant of constantsOf(bound)) {
    const key = constantKey(constant)
    if (isPrintedSo(constant)) texts.set(key, constant.text)
    else wanted.set(key, constant)
  }
  if (wanted.size === 0) return AS_WRITTEN
  const constants = [...wanted.values()]
  const answers = await normalise(constants)
  for (const [at, constant] of constants.entries()) {
    const answer = answers[at]
    if (answer === undefined) {
      throw new RowtapError('ERR_DRIVER_CONTRACT', {
        message: `The driver did not say what PostgreSQL makes of the constant ${JSON.stringify(constant.text)} in 'where'.`,
      })
    }
    if ('error' in answer) throw doesNotFit(constant, bound, answer.error)
    texts.set(constantKey(constant), answer.text)
  }
  return texts
}

function doesNotFit(constant: TypedConstant, bound: BoundCondition, reason: string): RowtapError {
  const key = constantKey(constant)
  for (const { leaf, at } of leavesOf(bound)) {
    const index = constantsIn(leaf).findIndex((one) => one !== null && constantKey(one) === key)
    if (index === -1) continue
    return conditionRefusal(
      'ERR_INVALID_OPTIONS',
      `The constant ${shown(constant.text)} in 'where' does not fit ${columnOf(leaf.column, leaf.origin)}, ${typesOf(leaf, constant)}: ${ended(reason)}${labels(leaf)}`,
      leaf.origin.condition,
      at ?? index,
    )
  }
  return invalidOptions(`The constant ${shown(constant.text)} in 'where' does not fit its type: ${ended(reason)}`)
}

/** How much of a constant is shown in a message. */
const SHOWN = 80

function shown(text: string): string {
  return JSON.stringify(text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text)
}

function typesOf({ type }: ComparingLeaf, { explicit, castName }: TypedConstant): string {
  const own = explicit ? `, compared with a ${castName.replaceAll(/"pg_catalog"\.|"/gu, '')}` : ''
  return `whose type is ${type.displayName}${own}`
}

/** PostgreSQL's messages have no full stop. */
function ended(reason: string): string {
  return reason.endsWith('.') ? reason : `${reason}.`
}

const SHOWN_LABELS = 20

function labels({ type }: ComparingLeaf): string {
  if (type.kind !== 'enum' || type.labels.length > SHOWN_LABELS) return ''
  return ` Its labels are ${type.labels.map((label) => JSON.stringify(label)).join(', ')}.`
}

type ComparingLeaf = Extract<BoundCondition, { readonly kind: 'compare' | 'in' }>

/** The parts with constants. `at`: the index of the part's constant among those of the tree's part; `null`: its own. */
function leavesOf(bound: BoundCondition): readonly { readonly leaf: ComparingLeaf; readonly at: number | null }[] {
  switch (bound.kind) {
    case 'and':
    case 'or':
      return bound.conditions.flatMap(leavesOf)
    case 'not':
      return leavesOf(bound.condition)
    case 'compare':
      // The second half of a BETWEEN has its second constant.
      return [{ leaf: bound, at: bound.origin.condition.kind === 'between' && bound.operator === 'lte' ? 1 : 0 }]
    case 'in':
      return [{ leaf: bound, at: null }]
    default:
      return []
  }
}

function constantsIn(leaf: ComparingLeaf): readonly (TypedConstant | null)[] {
  return leaf.kind === 'compare' ? [leaf.constant] : leaf.constants
}

const PRINTED: Readonly<Record<string, RegExp>> = {
  '"pg_catalog"."int2"': /^(?:0|-?[1-9]\d{0,3})$/u,
  '"pg_catalog"."int4"': /^(?:0|-?[1-9]\d{0,8})$/u,
  '"pg_catalog"."oid"': /^(?:0|[1-9]\d{0,8})$/u,
  '"pg_catalog"."int8"': /^(?:0|-?[1-9]\d{0,17})$/u,
  '"pg_catalog"."numeric"': /^(?:0|-?[1-9]\d{0,17})$/u,
  '"pg_catalog"."uuid"': /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/u,
}

function isPrintedSo(constant: TypedConstant): boolean {
  if (constant.comparedAs !== null) return false
  if (constant.castName === '"pg_catalog"."text"') return isStorableText(constant.text)
  return PRINTED[constant.castName]?.test(constant.text) === true
}
