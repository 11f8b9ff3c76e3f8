import type { CompiledCondition } from '../conditions/compile-condition.ts'
import type { Tuple } from '../contract/relation.ts'
import { formatTableName } from '../contract/table-name.ts'
import { RowtapError } from '../rowtap-error.ts'
import type { Found } from './index/found.ts'
import { AFTER, BEFORE } from './index/found.ts'
import type { RoutedChange } from './routed-change.ts'

/** Whether a condition was true of a row before a change, and is after it. Of a row that does not exist it is not. */
export interface ConditionTruth {
  /** `'unknown'`: the database did not send what that depends on. */
  readonly before: boolean | 'unknown'
  readonly after: boolean
}

/** What a listener without a condition makes of every change. */
export const EVERY_ROW: ConditionTruth = { before: true, after: true }

/** One object for each truth. */
export function conditionTruth(before: boolean | 'unknown', after: boolean): ConditionTruth {
  if (before === 'unknown') return after ? UNKNOWN_BEFORE : UNKNOWN_AND_NOT_AFTER
  if (before) return after ? EVERY_ROW : NOT_AFTER
  return after ? NOT_BEFORE : NO_ROW
}

const NOT_AFTER: ConditionTruth = { before: true, after: false }
const NOT_BEFORE: ConditionTruth = { before: false, after: true }
const NO_ROW: ConditionTruth = { before: false, after: false }
const UNKNOWN_BEFORE: ConditionTruth = { before: 'unknown', after: true }
const UNKNOWN_AND_NOT_AFTER: ConditionTruth = { before: 'unknown', after: false }

/** A condition that is tested once for each change, however many listeners have it. */
export class RowCondition {
  readonly #isTrue: CompiledCondition['isTrue']
  /** The change that was tested last: by its number, so that it is not held. */
  #serial = 0
  #before: boolean | 'unavailable' = false
  #after: boolean | 'unavailable' = false

  constructor(condition: CompiledCondition) {
    this.#isTrue = condition.isTrue
  }

  /**
   * What it is for both versions of a row, or for those that count: of another version it is taken not to be true.
   *
   * @throws RowtapError ERR_SETUP_REQUIRED where a new row came without a value that the condition needs, and that was wanted.
   */
  truthOf(routed: RoutedChange, versions: Found = BEFORE | AFTER): ConditionTruth {
    if (this.#serial !== routed.serial) {
      this.#before = this.#test(routed.before)
      this.#after = this.#test(routed.after)
      this.#serial = routed.serial
    }
    const before = (versions & BEFORE) !== 0 && this.#before
    const after = (versions & AFTER) !== 0 && this.#after
    if (before === 'unavailable' || after === 'unavailable') {
      if (routed.change.relation.columns.some(({ leftOut }) => leftOut === true)) return NO_ROW
    }
    if (after === 'unavailable') throw valueNotSent(routed)
    return conditionTruth(before === 'unavailable' ? 'unknown' : before, after)
  }

  #test(tuple: Tuple | null): boolean | 'unavailable' {
    return tuple === null ? false : this.#isTrue(tuple)
  }
}

function valueNotSent({ change }: RoutedChange): RowtapError {
  return new RowtapError('ERR_SETUP_REQUIRED', {
    message:
      `A ${change.kind} of table ${formatTableName(change.relation)} arrived without a value that a listener's 'where' needs: ` +
      `the table's replica identity no longer covers it.` +
      (change.relation.oldRowsStatement === null ? '' : ` Run: ${change.relation.oldRowsStatement}`),
    eventId: change.id,
  })
}
