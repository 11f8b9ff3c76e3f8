import { RowtapError } from '../../rowtap-error.ts'
import type { Comparison } from './comparison.ts'
import { compareAscii, keyComparison, sameText } from './comparison.ts'
import { microsecondsOf, signed } from './timestamp-comparison.ts'

/** time. Its texts are in the order of time as they stand. */
export const timeComparison: Comparison = keyComparison(sameText, compareAscii)

/** timetz: by the instant, and among equal instants by the zone, from east to west. */
export const timetzComparison: Comparison = keyComparison(sameText, (constant) => {
  const { instant, zone } = zonedTime(constant)
  return (text) => {
    const other = zonedTime(text)
    if (other.instant !== instant) return other.instant < instant ? -1 : 1
    return other.zone === zone ? 0 : other.zone > zone ? -1 : 1
  }
})

interface ZonedTime {
  readonly instant: bigint
  /** Microseconds east of Greenwich. */
  readonly zone: bigint
}

function zonedTime(text: string): ZonedTime {
  const match = /^([\d:.]+)([+-][\d:]+)$/u.exec(text)
  if (match === null)
    throw new RowtapError('ERR_DECODE', { message: `${JSON.stringify(text)} is not a time with a time zone.` })
  const zone = signed(match[2] ?? '')
  return { instant: microsecondsOf(match[1] ?? '') - zone, zone }
}
