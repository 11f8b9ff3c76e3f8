import { invalidOptions } from '../options/check-option-names.ts'
import { bindCondition, constantsOf } from './bind-condition.ts'
import type { BoundCondition, NormalisedConstants, TypedConstant } from './bound-condition.ts'
import { AS_WRITTEN, constantKey } from './bound-condition.ts'
import type { ConditionColumn } from './column-type.ts'
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
 * @throws RowtapError ERR_INVALID_OPTIONS with PostgreSQL's message, where a constant does not fit its type.
 */
export async function normalisedConstants(
  condition: Condition,
  columns: readonly ConditionColumn[],
  normalise: NormaliseConstants,
): Promise<NormalisedConstants> {
  return normalisedBound(bindCondition(condition, columns), normalise)
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
    if (answer === undefined)
      throw invalidOptions(`The driver did not say what PostgreSQL makes of a constant in 'where'.`)
    if ('error' in answer) throw invalidOptions(`A constant in 'where' does not fit its type: ${answer.error}`)
    texts.set(constantKey(constant), answer.text)
  }
  return texts
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
