import type { ConditionColumn } from '@rowtap/core/conditions'
import type { ParsedText } from '../syntax/parsed-text.ts'

/** What is needed to read a condition out of a text's syntax. */
export interface Reading {
  readonly source: ParsedText
  /** `$1` is the first. */
  readonly values: readonly unknown[]
  /** Where in the text values are bound, if that is known: `$1` is then nothing that may be written out. */
  readonly boundAt: ReadonlySet<number> | null
  /** The table's columns, where they are known. */
  readonly columns: readonly ConditionColumn[] | null
  /** The indexes of the values that the condition uses. */
  readonly used: Set<number>
}
