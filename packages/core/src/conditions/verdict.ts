import type { Tuple } from '../contract/relation.ts'

/**
 * What a condition is for a row: PostgreSQL's three values, or `'unavailable'` where that depends on a value which the
 * database did not send.
 */
export type Verdict = boolean | null | 'unavailable'

/**
 * The values that a condition may have for a row, as a set of bits: one where all that it needs was sent, several
 * where not. `false AND unavailable` is false, `NULL AND unavailable` is one of NULL and false: not true in any case.
 */
export type Verdicts = number

/** Computes the values that a condition may have for a row. */
export type Evaluate = (tuple: Tuple) => Verdicts

/** The sets that are not combined from others. */
export const TRUE: Verdicts = 1
export const FALSE: Verdicts = 2
export const NULL: Verdicts = 4
/** Of an operator that is never NULL, on a value that was not sent. */
export const TRUE_OR_FALSE: Verdicts = TRUE | FALSE
/** Of any other operator, on a value that was not sent. */
export const ANY: Verdicts = TRUE | FALSE | NULL

const EACH: readonly Verdicts[] = [TRUE, FALSE, NULL]

/** What AND makes of two sets, at `left * 8 + right`. */
const CONJUNCTION: Uint8Array = combine((left, right) => {
  if (left === FALSE || right === FALSE) return FALSE
  return left === NULL || right === NULL ? NULL : TRUE
})

/** What OR makes of two sets, at `left * 8 + right`. */
const DISJUNCTION: Uint8Array = combine((left, right) => {
  if (left === TRUE || right === TRUE) return TRUE
  return left === NULL || right === NULL ? NULL : FALSE
})

/** `left AND right`. */
export function both(left: Verdicts, right: Verdicts): Verdicts {
  return CONJUNCTION[left * 8 + right] ?? ANY
}

/** `left OR right`. */
export function either(left: Verdicts, right: Verdicts): Verdicts {
  return DISJUNCTION[left * 8 + right] ?? ANY
}

/** `NOT verdicts`. */
export function negated(verdicts: Verdicts): Verdicts {
  return ((verdicts & TRUE) << 1) | ((verdicts & FALSE) >> 1) | (verdicts & NULL)
}

/** The one value of a set, or `'unavailable'`. */
export function verdictOf(verdicts: Verdicts): Verdict {
  if (verdicts === TRUE) return true
  if (verdicts === FALSE) return false
  return verdicts === NULL ? null : 'unavailable'
}

/** Whether a condition is true: of `NULL or false` it is known that it is not. */
export function truthOf(verdicts: Verdicts): boolean | 'unavailable' {
  if (verdicts === TRUE) return true
  return (verdicts & TRUE) === 0 ? false : 'unavailable'
}

function combine(operator: (left: Verdicts, right: Verdicts) => Verdicts): Uint8Array {
  const table = new Uint8Array(64)
  for (let left = 0; left < 8; left++) {
    for (let right = 0; right < 8; right++) {
      for (const one of EACH.filter((verdict) => (left & verdict) !== 0)) {
        for (const other of EACH.filter((verdict) => (right & verdict) !== 0)) {
          table[left * 8 + right] = (table[left * 8 + right] ?? 0) | operator(one, other)
        }
      }
    }
  }
  return table
}
