const MS_PER_DAY = 86_400_000

/** Less than 0: not two digits. */
const NO_DIGITS = -0x10000

/**
 * `2026-01-31 12:34:56.123456+00`, a part of a text: what PostgreSQL prints in a session whose time zone is UTC. `null`:
 * another form.
 */
export function utcTime(text: string, start: number, end: number): Date | null {
  const zone = end - 3
  if (text.charCodeAt(zone) !== 0x2b || text.charCodeAt(zone + 1) !== 0x30 || text.charCodeAt(zone + 2) !== 0x30)
    return null
  const day = days(text, start)
  const time = timeOfDay(text, start)
  const part = milliseconds(text, start, zone)
  return day === null || time < 0 || part < 0 ? null : new Date(day * MS_PER_DAY + time + part)
}

/** The same without a zone: `pg` takes it for a time of the program's own. */
export function localTime(text: string, start: number, end: number): Date | null {
  const part = milliseconds(text, start, end)
  if (days(text, start) === null || timeOfDay(text, start) < 0 || part < 0) return null
  const at = (offset: number): number => two(text, start + offset)
  return new Date(at(0) * 100 + at(2), at(5) - 1, at(8), at(11), at(14), at(17), part)
}

/** From 1970-01-01 to a date, of a year from 1000 to 9999, with a space behind it. */
function days(text: string, start: number): number | null {
  const year = two(text, start) * 100 + two(text, start + 2)
  const month = two(text, start + 5)
  const day = two(text, start + 8)
  if (year < 1000 || month < 1 || month > 12 || day < 0) return null
  if (text.charCodeAt(start + 4) !== 0x2d || text.charCodeAt(start + 7) !== 0x2d) return null
  if (text.charCodeAt(start + 10) !== 0x20) return null
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
function timeOfDay(text: string, start: number): number {
  if (text.charCodeAt(start + 13) !== 0x3a || text.charCodeAt(start + 16) !== 0x3a) return NO_DIGITS
  const hour = two(text, start + 11)
  const minute = two(text, start + 14)
  const second = two(text, start + 17)
  return hour < 0 || minute < 0 || second < 0 ? NO_DIGITS : ((hour * 60 + minute) * 60 + second) * 1000
}

/**
 * The part of a second, of at most six digits, at the end of a time; less than 0: another form, or one that does not end
 * there. By the same steps as `pg`: which millisecond a double is cut off to depends on them.
 */
function milliseconds(text: string, start: number, end: number): number {
  const seconds = start + 19
  if (end === seconds) return 0
  if (end < seconds + 2 || end > seconds + 7 || text.charCodeAt(seconds) !== 0x2e) return NO_DIGITS
  let digits = 0
  let divisor = 1
  for (let at = seconds + 1; at < end; at += 1) {
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
