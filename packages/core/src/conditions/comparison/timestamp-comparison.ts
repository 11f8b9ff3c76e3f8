import { RowtapError } from '../../rowtap-error.ts'
import type { Comparison, TextOrder } from './comparison.ts'
import { keyComparison, sameText } from './comparison.ts'

/** date and timestamp. */
export const timestampComparison: Comparison = keyComparison(sameText, (constant) => order(constant, isPlain))

/** timestamptz, printed in UTC. */
export const timestamptzComparison: Comparison = keyComparison(sameText, (constant) => order(constant, isPlainUtc))

const INFINITY = 10n ** 30n
const MICROSECONDS_A_DAY = 86_400_000_000n

/** Texts of one plain form are in the order of time as they stand; the others are read. */
function order(constant: string, plain: (text: string) => boolean): TextOrder {
  const instant = instantOf(constant)
  const constantIsPlain = plain(constant)
  return (text) => {
    if (constantIsPlain && plain(text)) return text < constant ? -1 : text > constant ? 1 : 0
    const other = instantOf(text)
    return other < instant ? -1 : other > instant ? 1 : 0
  }
}

/** A year of four digits after Christ. */
function isPlain(text: string): boolean {
  return text.charCodeAt(4) === 45 && isDigit(text.charCodeAt(0)) && isDigit(text.charCodeAt(text.length - 1))
}

function isPlainUtc(text: string): boolean {
  return isPlain(text) && text.endsWith('+00')
}

function isDigit(unit: number): boolean {
  return unit >= 48 && unit <= 57
}

const FORM =
  /^(?<year>\d+)-(?<month>\d\d)-(?<day>\d\d)(?: (?<time>\d\d:\d\d:\d\d(?:\.\d+)?)(?<zone>[+-]\d\d(?::\d\d){0,2})?)?(?<era> BC)?$/u

/** Microseconds since 1970-01-01 UTC. */
function instantOf(text: string): bigint {
  if (text === 'infinity') return INFINITY
  if (text === '-infinity') return -INFINITY
  const groups = FORM.exec(text)?.groups
  if (groups === undefined) {
    throw new RowtapError('ERR_DECODE', {
      message: `${JSON.stringify(text)} is not a date or time as DateStyle ISO prints it.`,
    })
  }
  const { year = '', month = '', day = '', time, zone, era } = groups
  const astronomical = era === undefined ? Number(year) : 1 - Number(year)
  const days = BigInt(daysSince1970(astronomical, Number(month), Number(day)))
  const clock = time === undefined ? 0n : microsecondsOf(time)
  return days * MICROSECONDS_A_DAY + clock - (zone === undefined ? 0n : signed(zone))
}

/** `-05:30:15` in microseconds. */
export function signed(text: string): bigint {
  const microseconds = microsecondsOf(text.slice(1))
  return text.startsWith('-') ? -microseconds : microseconds
}

/** `12:34:56.789` or a part of it, in microseconds. */
export function microsecondsOf(clock: string): bigint {
  const [hours = '0', minutes = '0', seconds = '0'] = clock.split(':')
  const [whole = '0', fraction = ''] = seconds.split('.')
  return (BigInt(hours) * 3600n + BigInt(minutes) * 60n + BigInt(whole)) * 1_000_000n + BigInt(fraction.padEnd(6, '0'))
}

/** Days in the proleptic Gregorian calendar: years are counted from March, so that a leap day is a year's last. */
function daysSince1970(year: number, month: number, day: number): number {
  const shifted = month <= 2 ? year - 1 : year
  const era = Math.floor(shifted / 400)
  const yearOfEra = shifted - era * 400
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear
  return era * 146_097 + dayOfEra - 719_468
}
