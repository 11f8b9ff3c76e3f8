import type { ColumnName, Row } from '../event.ts'
import type { Condition } from './condition.ts'

/**
 * Which rows are wanted, in the object form: every column's part must be true. A plain value is equality, `null` is
 * IS NULL, an object holds operators, of which every one must be true.
 *
 * @example { status: 'paid', total: { gte: 100 }, note: null, or: [{ tag: { in: ['a', 'b'] } }, { urgent: true }] }
 */
export type Where<R extends object = Row> = WhereColumns<R> & WhereGroups<R>

/** `and`, `or` and `not` around other conditions. A column of such a name is reached with a condition tree. */
export interface WhereGroups<R extends object> {
  /** Every one of them; of none: true. */
  readonly and?: readonly (Where<R> | Condition)[]
  /** At least one of them; of none: false. */
  readonly or?: readonly (Where<R> | Condition)[]
  /** Not this: a row for which it is NULL is not wanted either. */
  readonly not?: Where<R> | Condition
}

type WhereColumns<R extends object> =
  string extends ColumnName<R>
    ? { readonly [column: string]: unknown }
    : { readonly [K in Exclude<ColumnName<R>, keyof WhereGroups<R>>]?: WhereColumn<R[K]> }

/** What is asked of one column. */
export type WhereColumn<V> = WhereValue<V> | null | (WhereOperators<V> & PatternsOf<V>)

/** A column may be a text where some of its values are strings in a row, and where nothing is known of them. */
type PatternsOf<V> = unknown extends V ? WherePatterns : [Extract<V, string>] extends [never] ? unknown : WherePatterns

/** Operators on a column of texts, beside those on every column. */
export interface WherePatterns {
  /** `_` stands for one character, `%` for any number of them, `\` takes the meaning off the next. */
  readonly like?: string
  readonly notLike?: string
  /** As `like`, without regard to upper and lower case. */
  readonly ilike?: string
  readonly notIlike?: string
}

/** Operators on a column; all of them must be true. */
export interface WhereOperators<V> {
  /** `=` */
  readonly eq?: WhereValue<V>
  /** `<>`. Not true of NULL: see `isDistinctFrom`. */
  readonly neq?: WhereValue<V>
  /** `<` */
  readonly lt?: WhereValue<V>
  /** `<=` */
  readonly lte?: WhereValue<V>
  /** `>` */
  readonly gt?: WhereValue<V>
  /** `>=` */
  readonly gte?: WhereValue<V>
  /** One of these. Of none: false. A `null` among others counts as in SQL: no value is equal to it. */
  readonly in?: readonly (WhereValue<V> | null)[]
  /** None of these. Not true of NULL, except with an empty list. */
  readonly notIn?: readonly WhereValue<V>[]
  /** `true`: IS NULL; `false`: IS NOT NULL. */
  readonly isNull?: boolean
  /** From the first to the second, both included. */
  readonly between?: readonly [low: WhereValue<V>, high: WhereValue<V>]
  readonly notBetween?: readonly [low: WhereValue<V>, high: WhereValue<V>]
  /** `<>` that takes NULL for a value like others. */
  readonly isDistinctFrom?: WhereValue<V> | null
  /** `=` that takes NULL for a value like others. */
  readonly isNotDistinctFrom?: WhereValue<V> | null
}

/**
 * What a column can be compared with, by the type that its values have in a row. A string is in PostgreSQL's input
 * syntax, and says more than a Date (microseconds) or a number (digits) can.
 */
export type WhereValue<V> = V extends null | undefined
  ? never
  : V extends boolean
    ? boolean
    : V extends string
      ? string extends V
        ? string | number | bigint
        : V
      : V extends number | bigint
        ? number | bigint | string
        : V extends Date
          ? Date | string
          : V extends Uint8Array
            ? Uint8Array | string
            : V | string
