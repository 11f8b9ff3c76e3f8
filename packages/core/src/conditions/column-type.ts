/**
 * What has to be known of a column's type to compare its values as PostgreSQL does. Domains are resolved to what they
 * are over, at every depth.
 */
export type ColumnType = BaseType | EnumType | ArrayType | RangeType | MultirangeType | CompositeType

interface NamedType {
  /** How SQL casts to it, whatever the search path and without a length or precision: `"pg_catalog"."bpchar"`. */
  readonly castName: string
  /** Its name for messages: `character varying`. */
  readonly displayName: string
}

/** A type that is made of nothing else: `integer`, `text`, a type of an extension. */
export interface BaseType extends NamedType {
  readonly kind: 'base'
  /**
   * Its name in pg_type: `'int4'`. A type outside `pg_catalog` has its schema before it (`'public.int4'`), except
   * `'citext'` where it is the extension's.
   */
  readonly name: string
  /** `null`: the type has none. */
  readonly collation: Collation | null
}

/** An enumeration. */
export interface EnumType extends NamedType {
  readonly kind: 'enum'
  /** In their declared order, which is the order of comparison. */
  readonly labels: readonly string[]
  /**
   * What tells each label from every other, in the same order: another text as soon as it is given another name, also
   * where it has its old name again.
   */
  readonly labelIds: readonly string[]
}

/** An array of any number of dimensions. */
export interface ArrayType extends NamedType {
  readonly kind: 'array'
  readonly element: ColumnType
}

/** A range. */
export interface RangeType extends NamedType {
  readonly kind: 'range'
  readonly subtype: ColumnType
  /** Whether bounds are compared by the subtype's default operator class. */
  readonly defaultOrder: boolean
}

/** A multirange. */
export interface MultirangeType extends NamedType {
  readonly kind: 'multirange'
  readonly range: ColumnType
}

/** A row type. */
export interface CompositeType extends NamedType {
  readonly kind: 'composite'
}

/** How texts are compared. */
export interface Collation {
  /** Its name for messages. */
  readonly name: string
  /**
   * - `'code point'`: by the code points' numbers (`C`, `POSIX`, `ucs_basic`, the built-in locales).
   * - `'locale'`: in an order that only the server knows; equal texts are the same bytes.
   * - `'nondeterministic'`: different texts may be equal.
   * - `'encoding'`: the database's encoding is not UTF8, so that texts may be compared by bytes which nobody else sees.
   */
  readonly order: 'code point' | 'locale' | 'nondeterministic' | 'encoding'
  /** Whether only the letters A to Z have another case. */
  readonly asciiCase: boolean
}

/** A column as conditions see it. */
export interface ConditionColumn {
  /** The column's name, as the catalogue spells it. */
  readonly name: string
  readonly type: ColumnType
}
