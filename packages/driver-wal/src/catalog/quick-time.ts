const MS_PER_DAY = 86_400_000

/** Less than 0: not two digits. */
const NO_DIGITS = -0x10000

/** `2026-01-31 12:34:56.123456+00`: what PostgreSQL prints in a session whose time zone is UTC. `null`: another form. */
export function utcTime(text: string): Date | null {
  const end = text.length - 3
  if (text.charCodeAt(end) !== 0x2b || text.charCodeAt(end + 1) !== 0x30 || text.charCodeAt(end + 2) !== 0x30)
    return null
  const day = days(text)
  const time = timeOfDay(text)
  const part = milliseconds(text, end)
  return day === null || time < 0 || part < 0 ? null : new Date(day * MS_PER_DAY + time + part)
}

/** The same without a zone: `pg` takes it for a time of the program's own. */
export function localTime(text: string): Date | null {
  const part = milliseconds(text, text.length)
  if (days(text) === null || timeOfDay(text) < 0 || part < 0) return null
  const year = two(text, 0) * 100 + two(text, 2)
  return new Date(year, two(text, 5) - 1, two(text, 8), two(text, 11), two(text, 14), two(text, 17), part)
}

/** From 1970-01-01 to the date that a text begins with, of a year from 1000 to 9999. */
function days(text: string): number | null {
  const year = two(text, 0) * 100 + two(text, 2)
  const month = two(text, 5)
  const day = two(text, 8)
  if (year < 1000 || month < 1 || month > 12 || day < 0) return null
  if (text.charCodeAt(4) !== 0x2d || text.charCodeAt(7) !== 0x2d || text.charCodeAt(10) !== 0x20) return null
  // Years begin with March here: a leap day is then the last of its year.
  const fromMarch = month > 2 ? year : year - 1
  const century = Math.trunc(fromMarch / 100)
  const daysOfYears = fromMarch * 365 + Math.trunc(fromMarch / 4) - century + Math.trunc(century / 4)
  const daysOfMonths = Math.trunc((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5)
  return daysOfYears + daysOfMonths + day - 1 - DAYS_BEFORE_1970
}

/** From the first of March of the year 0 to 1970-01-01. */
const DAYS_BEFORE_1970 = 719_468

/** In milliseconds, without the part of a second; less than 0: another form. */
function timeOfDay(text: string): number {
  if (text.charCodeAt(13) !== 0x3a || text.charCodeAt(16) !== 0x3a) return NO_DIGITS
  const hour = two(text, 11)
  const minute = two(text, 14)
  const second = two(text, 17)
  return hour < 0 || minute < 0 || second < 0 ? NO_DIGITS : ((hour * 60 + minute) * 60 + second) * 1000
}

/**
 * The part of a second before an offset, of at most six digits; less than 0: another form. By the same steps as `pg`: which
 * millisecond a double is cut off to depends on them.
 */
function milliseconds(text: string, end: number): number {
  if (end === 19) return 0
  if (end < 21 || end > 26 || text.charCodeAt(19) !== 0x2e) return NO_DIGITS
  let digits = 0
  let divisor = 1
  for (let at = 20; at < end; at += 1) {
    const digit = text.charCodeAt(at) - 0x30
    if (digit < 0 || digit > 9) return NO_DIGITS
    digits = digits * 10 + digit
    divisor *= 10
  }
  return Math.trunc(1000 * (digits / divisor))
}

function two(text: string, at: number): number {
  const tens = text.charCodeAt(at) - 0x30
  const ones = text.charCodeAt(at + 1) - 0x30
  return tens < 0 || tens > 9 || ones < 0 || ones > 9 ? NO_DIGITS : tens * 10 + ones
}
