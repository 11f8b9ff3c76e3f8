import type { ColumnType } from './column-type.ts'
import type { ConditionOrigin } from './condition-refusal.ts'
import type { BooleanCondition, ComparisonOperator } from './condition.ts'
import type { ComparedNumber } from './number-type.ts'

/** A condition with its columns found and its constants' types decided. BETWEEN is two comparisons here. */
export type BoundCondition =
  | { readonly kind: 'and' | 'or'; readonly conditions: readonly BoundCondition[] }
  | { readonly kind: 'not'; readonly condition: BoundCondition }
  | { readonly kind: 'constant'; readonly value: boolean | null }
  | BoundComparison
  | BoundList
  | (BoundColumn & { readonly kind: 'null'; readonly negated: boolean })
  | (BoundColumn & { readonly kind: 'boolean'; readonly test: BooleanCondition['test'] })

/** A column of the table. */
export interface BoundColumn {
  readonly index: number
  readonly column: string
  readonly type: ColumnType
  readonly origin: ConditionOrigin
}

/** `column operator constant`. */
export interface BoundComparison extends BoundColumn {
  readonly kind: 'compare'
  readonly operator: ComparisonOperator
  readonly constant: TypedConstant | null
  /** The number's type as which both are compared, where it is not the column's own. */
  readonly as: ComparedNumber | null
}

/** `column [NOT] IN (…)`. */
export interface BoundList extends BoundColumn {
  readonly kind: 'in'
  readonly negated: boolean
  /** `null` is NULL. */
  readonly constants: readonly (TypedConstant | null)[]
  readonly as: ComparedNumber | null
}

/** A constant with the type that PostgreSQL reads it as. */
export interface TypedConstant {
  /** As it was written. */
  readonly text: string
  /** The type whose input syntax it is in, as a cast spells it. */
  readonly castName: string
  /** The type as which it is then compared; `null`: the same. */
  readonly comparedAs: string | null
  /** Whether SQL has to name the type, because without it the constant would be read as another. */
  readonly explicit: boolean
}

/** Finds a constant among the normalised ones: those of one text and types are the same value. */
export function constantKey(constant: TypedConstant): string {
  return JSON.stringify([constant.castName, constant.comparedAs, constant.text])
}

/** The texts that PostgreSQL's own output functions print for constants, by {@link constantKey}. */
export type NormalisedConstants = Pick<ReadonlyMap<string, string>, 'get'>

/** Constants that are written as PostgreSQL prints them: one for all conditions of which that is so. */
export const AS_WRITTEN: NormalisedConstants = {
  get: (key) => {
    // The key is made above.
    const [, , text] = JSON.parse(key) as [castName: string, comparedAs: string | null, text: string]
    return text
  },
}
