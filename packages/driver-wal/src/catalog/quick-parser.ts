import type { RelationColumn } from '@rowtap/core/driver'
import { createHash } from 'node:crypto'

/** The source of the function that `pg` parses times with (postgres-date 1.0.7), as SHA-256. */
const PARSER_OF_PG = '320e64a6a5c1ffbc2da13e957a33e994e52c0079f3a56be386a6a4c1de0d7b28'

/** The object ids of `timestamp` and `timestamptz`. */
const TIMESTAMP = 1114
const TIMESTAMPTZ = 1184

type Parse = RelationColumn['parse']

/**
 * A parser that returns the same as the given one for every text, and is faster where that is known to be possible: for
 * times, if it is `pg`'s own. It is told by its source, because everybody can replace it.
 */
export function quickParser(typeOid: number, parse: Parse): Parse {
  const timeOf = typeOid === TIMESTAMP ? localTime : typeOid === TIMESTAMPTZ ? utcTime : null
  if (timeOf === null || createHash('sha256').update(String(parse)).digest('hex') !== PARSER_OF_PG) return parse
  return (text) => timeOf(text) ?? parse(text)
}

/** `2026-01-31 12:34:56.123456+00`: what PostgreSQL prints in a session whose time zone is UTC. */
function utcTime(text: string): Date | null {
  const end = text.length - 3
  if (!text.endsWith('+00') || !isTime(text, end)) return null
  return new Date(
    Date.UTC(
      year(text),
      month(text),
      two(text, 8),
      two(text, 11),
      two(text, 14),
      two(text, 17),
      milliseconds(text, end),
    ),
  )
}

/** The same without a zone: `pg` takes it for a time of the program's own. */
function localTime(text: string): Date | null {
  const end = text.length
  if (!isTime(text, end)) return null
  return new Date(
    year(text),
    month(text),
    two(text, 8),
    two(text, 11),
    two(text, 14),
    two(text, 17),
    milliseconds(text, end),
  )
}

/** What separates the parts, at these offsets. */
const SEPARATORS = [
  [4, 0x2d],
  [7, 0x2d],
  [10, 0x20],
  [13, 0x3a],
  [16, 0x3a],
] as const

/** Whether the text before an offset is a time of a year from 1000 to 9999, with at most six digits of a second's part. */
function isTime(text: string, end: number): boolean {
  if (end !== 19 && (end < 21 || end > 26 || text.charCodeAt(19) !== 0x2e)) return false
  if (text.charCodeAt(0) === 0x30) return false
  for (const [at, code] of SEPARATORS) if (text.charCodeAt(at) !== code) return false
  return (
    areDigits(text, 0, 4) &&
    areDigits(text, 5, 7) &&
    areDigits(text, 8, 10) &&
    areDigits(text, 11, 13) &&
    areDigits(text, 14, 16) &&
    areDigits(text, 17, 19) &&
    areDigits(text, 20, end)
  )
}

function areDigits(text: string, start: number, end: number): boolean {
  for (let at = start; at < end; at += 1) {
    const digit = text.charCodeAt(at) - 0x30
    if (digit < 0 || digit > 9) return false
  }
  return true
}

function year(text: string): number {
  return two(text, 0) * 100 + two(text, 2)
}

function month(text: string): number {
  return two(text, 5) - 1
}

function two(text: string, at: number): number {
  return (text.charCodeAt(at) - 0x30) * 10 + text.charCodeAt(at + 1) - 0x30
}

/** By the same steps as `pg`: which millisecond a double is cut off to depends on them. */
function milliseconds(text: string, end: number): number {
  let digits = 0
  let divisor = 1
  for (let at = 20; at < end; at += 1) {
    digits = digits * 10 + text.charCodeAt(at) - 0x30
    divisor *= 10
  }
  return 1000 * (digits / divisor)
}
