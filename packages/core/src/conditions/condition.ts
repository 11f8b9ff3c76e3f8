/**
 * A condition on one row, as a tree of plain JSON: it can be stored, sent and compared. The object form of `where`
 * and SQL text both become this.
 *
 * Its meaning is PostgreSQL's for the column's type, with three-valued logic: a row is wanted where it is true.
 */
export type Condition =
  | AllCondition
  | AnyCondition
  | NotCondition
  | ComparisonCondition
  | ListCondition
  | RangeCondition
  | NullCondition
  | BooleanCondition
  | ConstantCondition

/** Every one of `conditions`; of none: true. */
export interface AllCondition {
  readonly kind: 'and'
  readonly conditions: readonly Condition[]
}

/** At least one of `conditions`; of none: false. */
export interface AnyCondition {
  readonly kind: 'or'
  readonly conditions: readonly Condition[]
}

/** The contrary: not NULL is NULL. */
export interface NotCondition {
  readonly kind: 'not'
  readonly condition: Condition
}

/** `column operator constant`. */
export interface ComparisonCondition {
  readonly kind: 'compare'
  readonly column: string
  readonly operator: ComparisonOperator
  readonly constant: Constant
}

/** `column [NOT] IN (…)`. A NULL among the constants counts as in SQL. */
export interface ListCondition {
  readonly kind: 'in'
  readonly column: string
  readonly negated: boolean
  readonly constants: readonly Constant[]
}

/** `column [NOT] BETWEEN low AND high`. */
export interface RangeCondition {
  readonly kind: 'between'
  readonly column: string
  readonly negated: boolean
  readonly low: Constant
  readonly high: Constant
}

/** `column IS [NOT] NULL`. */
export interface NullCondition {
  readonly kind: 'null'
  readonly column: string
  readonly negated: boolean
}

/** A boolean column by itself, or with IS [NOT] TRUE, FALSE or UNKNOWN. */
export interface BooleanCondition {
  readonly kind: 'boolean'
  readonly column: string
  /** `'value'`: the column itself, NULL included. */
  readonly test: 'value' | 'is true' | 'is not true' | 'is false' | 'is not false' | 'is unknown' | 'is not unknown'
}

/** TRUE, FALSE or NULL. */
export interface ConstantCondition {
  readonly kind: 'constant'
  readonly value: boolean | null
}

/** The operators that compare a column with one constant. */
export type ComparisonOperator =
  | 'eq'
  | 'neq'
  | 'lt'
  | 'lte'
  | 'gt'
  | 'gte'
  | 'like'
  | 'not like'
  | 'ilike'
  | 'not ilike'
  | 'is distinct from'
  | 'is not distinct from'

/** A constant in a condition. */
export interface Constant {
  /** The value in PostgreSQL's input syntax for its type; `null` is NULL. */
  readonly text: string | null
  /**
   * The type, where it is not the column's own: a numeric constant (`1.5`) beside an integer column is `'numeric'`, and
   * is compared as PostgreSQL compares the two. `null`: the column's type, as for a quoted constant in SQL.
   * `'json'`: `text` is JSON, to be written in the way of the column's type: as an array, or as it is for json and jsonb.
   */
  readonly type: ConstantType | null
}

/** The types that a constant can have of itself, whatever the column's. */
export type ConstantType = NumberType | 'json'

/** The types of the numbers that SQL text can hold. */
export type NumberType = 'int4' | 'int8' | 'numeric' | 'float8'
