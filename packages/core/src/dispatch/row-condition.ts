import type { CompiledCondition } from '../conditions/compile-condition.ts'
import type { Tuple } from '../contract/relation.ts'
import { formatTableName } from '../contract/table-name.ts'
import { RowtapError } from '../rowtap-error.ts'
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
  return TRUTHS[`${before} ${after}`]
}

const TRUTHS: Readonly<Record<`${ConditionTruth['before']} ${ConditionTruth['after']}`, ConditionTruth>> = {
  'true true': EVERY_ROW,
  'true false': { before: true, after: false },
  'false true': { before: false, after: true },
  'false false': { before: false, after: false },
  'unknown true': { before: 'unknown', after: true },
  'unknown false': { before: 'unknown', after: false },
}

/** A condition that is tested once for each change, however many listeners have it. */
export class RowCondition {
  readonly #isTrue: CompiledCondition['isTrue']
  /** The change that was tested last: by its number, so that it is not held. */
  #serial = 0
  #truth: ConditionTruth = EVERY_ROW

  constructor(condition: CompiledCondition) {
    this.#isTrue = condition.isTrue
  }

  /** @throws RowtapError ERR_SETUP_REQUIRED where a new row came without a value that the condition needs. */
  truthOf(routed: RoutedChange): ConditionTruth {
    if (this.#serial !== routed.serial) {
      const before = this.#test(routed.before)
      const after = this.#test(routed.after)
      if (after === 'unavailable') throw valueNotSent(routed)
      this.#truth = conditionTruth(before === 'unavailable' ? 'unknown' : before, after)
      this.#serial = routed.serial
    }
    return this.#truth
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
