import { RowtapError } from '../../rowtap-error.ts'
import type { Comparison } from './comparison.ts'
import { keyComparison } from './comparison.ts'
import { microsecondsOf } from './timestamp-comparison.ts'

/** interval, printed in the style `postgres`: a month counts as 30 days, a day as 24 hours. */
export const intervalComparison: Comparison = keyComparison(
  (text) => lengthOf(text).toString(),
  (constant) => {
    const length = lengthOf(constant)
    return (text) => {
      const other = lengthOf(text)
      return other < length ? -1 : other > length ? 1 : 0
    }
  },
)

const INFINITY = 10n ** 40n
const FORM =
  /^(?:(?<years>[+-]?\d+) years? ?)?(?:(?<months>[+-]?\d+) mons? ?)?(?:(?<days>[+-]?\d+) days? ?)?(?:(?<sign>[+-]?)(?<clock>\d+:\d\d:\d\d(?:\.\d+)?))?$/u

/** In microseconds. */
function lengthOf(text: string): bigint {
  if (text === 'infinity') return INFINITY
  if (text === '-infinity') return -INFINITY
  const groups = FORM.exec(text)?.groups
  if (groups === undefined) {
    throw new RowtapError('ERR_DECODE', {
      message: `${JSON.stringify(text)} is not an interval as IntervalStyle postgres prints it.`,
    })
  }
  const { years = '0', months = '0', days = '0', sign, clock = '0' } = groups
  const wholeDays = (Number(years) * 12 + Number(months)) * 30 + Number(days)
  const time = microsecondsOf(clock)
  return BigInt(wholeDays) * 86_400_000_000n + (sign === '-' ? -time : time)
}
