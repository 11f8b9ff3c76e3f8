import type { TextTest } from './comparison.ts'
import { asciiLowerCase } from './text-comparison.ts'

/** `_`: any one character. */
const ONE = -1
/** `%`: any characters, also none. */
const MANY = -2

/**
 * Whether a pattern of LIKE can be matched against every text: PostgreSQL fails on one that ends in its escape
 * character, though only for rows on which it comes so far.
 */
export function isLikePattern(pattern: string): boolean {
  const escapes = /\\*$/u.exec(pattern)
  return escapes === null || escapes[0].length % 2 === 0
}

/** Compiles a pattern of LIKE, with `\` as the escape character. */
export function likeTest(pattern: string): TextTest {
  const tokens = tokensOf(pattern)
  const literal = literalOf(tokens)
  if (literal === null) return (text) => matches(text, tokens)
  const { text: part, before, after } = literal
  if (before && after) return (text) => text.includes(part)
  if (before) return (text) => text.endsWith(part)
  if (after) return (text) => text.startsWith(part)
  return (text) => text === part
}

/** Compiles a pattern of ILIKE for where only A to Z have another case. */
export function asciiIlikeTest(pattern: string): TextTest {
  const test = likeTest(asciiLowerCase(pattern))
  return (text) => test(asciiLowerCase(text))
}

/** UTF-16 units of the text to match, {@link ONE} and {@link MANY}. */
function tokensOf(pattern: string): readonly number[] {
  const tokens: number[] = []
  for (let at = 0; at < pattern.length; at++) {
    const unit = pattern.charAt(at)
    if (unit === '_') tokens.push(ONE)
    else if (unit === '%') tokens.push(MANY)
    else tokens.push(pattern.charCodeAt(unit === '\\' ? ++at : at))
  }
  return tokens
}

interface Literal {
  readonly text: string
  /** Whether anything may stand before or after it. */
  readonly before: boolean
  readonly after: boolean
}

/** The pattern as one text with or without `%` on its sides, where it is that simple. */
function literalOf(tokens: readonly number[]): Literal | null {
  let start = 0
  let end = tokens.length
  while (start < end && tokens[start] === MANY) start++
  while (end > start && tokens[end - 1] === MANY) end--
  const inner = tokens.slice(start, end)
  if (inner.some((token) => token < 0)) return null
  return {
    text: inner.map((unit) => String.fromCharCode(unit)).join(''),
    before: start > 0,
    after: end < tokens.length || (start > 0 && inner.length === 0),
  }
}

function matches(text: string, tokens: readonly number[]): boolean {
  let at = 0
  let token = 0
  // Where to go on from when what follows the last `%` did not match: it takes one character more.
  let retryToken = -1
  let retryAt = 0
  while (at < text.length) {
    const wanted = tokens[token]
    if (wanted === MANY) {
      token++
      if (token === tokens.length) return true
      retryToken = token
      retryAt = at
    } else if (wanted === ONE) {
      at = nextCharacter(text, at)
      token++
    } else if (wanted === text.charCodeAt(at)) {
      at++
      token++
    } else {
      if (retryToken === -1) return false
      retryAt = nextCharacter(text, retryAt)
      at = retryAt
      token = retryToken
    }
  }
  while (tokens[token] === MANY) token++
  return token === tokens.length
}

/** A character is a code point: two units where it is a surrogate pair. */
function nextCharacter(text: string, at: number): number {
  const unit = text.charCodeAt(at)
  return unit >= 0xd800 && unit <= 0xdbff ? at + 2 : at + 1
}
