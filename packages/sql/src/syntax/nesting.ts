import type { Token } from './postgres-parser.ts'

/**
 * How deep a text may be nested. The parser recurses on a stack of 64 kB that nothing guards: past about 300 levels
 * it overwrites its own memory, and may never return.
 */
export const MAX_NESTING = 200

const OPENING: ReadonlySet<string> = new Set(['ASCII_40', 'ASCII_91', 'CASE'])
const CLOSING: ReadonlySet<string> = new Set(['ASCII_41', 'ASCII_93', 'END_P'])
/** What makes lists, which are flat. */
const SEPARATING: ReadonlySet<string> = new Set(['AND', 'OR', 'ASCII_44'])

/**
 * The first token at which the text may be nested deeper than {@link MAX_NESTING}, or `null`. Every level takes a token
 * at least (NOT, a minus, a parenthesis), so that the tokens since the last separator, on each level, are a bound.
 *
 * Holds for expressions only: a UNION of many is deep without such tokens.
 */
export function tooDeep(tokens: readonly Token[]): Token | null {
  const outer: number[] = []
  let here = 0
  let sum = 0
  for (const token of tokens) {
    if (OPENING.has(token.token_kind)) {
      outer.push(here)
      sum += here + 1
      here = 0
    } else if (CLOSING.has(token.token_kind)) {
      const last = outer.pop()
      if (last !== undefined) {
        sum -= last + 1
        here = last + 1
      }
    } else if (SEPARATING.has(token.token_kind)) {
      here = 0
    } else {
      here += 1
    }
    if (sum + here > MAX_NESTING) return token
  }
  return null
}
