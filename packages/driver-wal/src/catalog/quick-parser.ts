import type { RelationColumn } from '@rowtap/core/driver'
import { createHash } from 'node:crypto'
import { localTime, utcTime } from './quick-time.ts'

type Parse = RelationColumn['parse']

/** How a column's text becomes a value. */
export type Parser = Pick<RelationColumn, 'parse' | 'parsePart'>

/** A way to the same value as one of `pg`'s own parsers, and quicker. */
interface Shortcut {
  /** The source of `pg`'s own (pg-types 2.2.0, postgres-date 1.0.7), as SHA-256. */
  readonly source: string
  /** The value of a part of a text, which it does not keep; `null` where that is not of the usual form. */
  readonly quick: (text: string, start: number, end: number) => unknown
}

const INTEGER: Shortcut = {
  source: 'd38d8177b810aefa8861af288cce31ba6f81ab08a2fa457755412605d70396ff',
  quick: integer,
}
const TIME = { source: '320e64a6a5c1ffbc2da13e957a33e994e52c0079f3a56be386a6a4c1de0d7b28' }

/** By the object id of the type: `int2`, `int4`, `oid`, `timestamp` and `timestamptz`. */
const SHORTCUTS: ReadonlyMap<number, Shortcut> = new Map([
  [21, INTEGER],
  [23, INTEGER],
  [26, INTEGER],
  [1114, { ...TIME, quick: localTime }],
  [1184, { ...TIME, quick: utcTime }],
])

/** The source of the function that `pg` has for types that it does not parse, as SHA-256: it returns the text. */
const NO_PARSER = '9349a265e79daa5df3a8bc041e17ab4377f0fd41d11553413864b83f1a22811b'

/**
 * A parser that returns the same as the given one for every text, and is quicker where that is known to be possible: where
 * it is `pg`'s own. It is told by its source, because everybody can replace it.
 */
export function quickParser(typeOid: number, parse: Parse): Parser {
  const source = createHash('sha256').update(String(parse)).digest('hex')
  if (source === NO_PARSER) return { parse: same }
  const shortcut = SHORTCUTS.get(typeOid)
  if (shortcut?.source !== source) return { parse }
  const { quick } = shortcut
  return {
    parse: (text) => quick(text, 0, text.length) ?? parse(text),
    parsePart: (text, start, end) => quick(text, start, end) ?? parse(text.substring(start, end)),
  }
}

function same(text: string): string {
  return text
}

/** `-42`: at most as many digits as every 32-bit number has. */
function integer(text: string, start: number, end: number): number | null {
  const first = text.charCodeAt(start) === 0x2d ? start + 1 : start
  if (end <= first || end > 10 + first) return null
  let value = 0
  for (let at = first; at < end; at += 1) {
    const digit = text.charCodeAt(at) - 0x30
    if (digit < 0 || digit > 9) return null
    value = value * 10 + digit
  }
  return first === start ? value : -value
}
