import type { Comparison } from './comparison.ts'
import { checkedComparison, keyComparison, sameText } from './comparison.ts'

type Key = (text: string) => string

/** An array by equality: dimensions, their lower bounds, and each element; NULL equals NULL. */
export function arrayComparison(elementKey: Key, checkedKey?: Key): Comparison {
  return containerComparison(elementKey, checkedKey, (key) => (text) => withKeys(text, '{},', key))
}

/** A range or multirange by equality: its kinds of bounds, and each bound. */
export function rangeComparison(boundKey: Key, checkedKey?: Key): Comparison {
  return containerComparison(
    boundKey,
    checkedKey,
    (key) => (text) => (text === 'empty' ? text : withKeys(text, '[](),', key)),
  )
}

function containerComparison(key: Key, checkedKey: Key | undefined, ofMembers: (key: Key) => Key): Comparison {
  if (checkedKey !== undefined) return checkedComparison(ofMembers(key), ofMembers(checkedKey), null)
  return keyComparison(key === sameText ? sameText : ofMembers(key), null)
}

/**
 * Replaces every value in the text of an array or range by its key, in quotes: NULL, which has none, and the
 * structure stay as they are. An array's lower bounds (`[0:1]=`) stand before its first brace.
 */
function withKeys(text: string, structure: string, key: Key): string {
  const start = structure.includes('[') ? 0 : text.indexOf('{')
  let result = text.slice(0, start)
  let at = start
  while (at < text.length) {
    const character = text.charAt(at)
    if (structure.includes(character) || (start === 0 && isMultirangeBrace(text, at))) {
      result += character
      at++
      continue
    }
    const end = endOfValue(text, at, structure)
    const written = text.slice(at, end)
    result += written === 'NULL' && structure.startsWith('{') ? written : JSON.stringify(key(unquoted(written)))
    at = end
  }
  return result
}

/** The braces of a multirange are its first and last characters. */
function isMultirangeBrace(text: string, at: number): boolean {
  return (at === 0 && text.startsWith('{')) || (at === text.length - 1 && text.endsWith('}'))
}

function endOfValue(text: string, start: number, structure: string): number {
  let quoted = false
  for (let at = start; at < text.length; at++) {
    const character = text.charAt(at)
    if (character === '\\') at++
    else if (character === '"') quoted = !quoted
    else if (!quoted && structure.includes(character)) return at
  }
  return text.length
}

/** Quotes taken off; inside them `\` stands before a character that is meant, and `""` for a quote. */
function unquoted(written: string): string {
  if (!written.startsWith('"')) return written
  return written.slice(1, -1).replaceAll(/\\([^])|""/gu, (_, escaped: string | undefined) => escaped ?? '"')
}
