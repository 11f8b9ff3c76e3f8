import type { Token } from './postgres-parser.ts'

/**
 * How deep a text's syntax may be nested before it is parsed. The parser recurses on a stack of 64 kB that nothing
 * guards: past about 300 levels it overwrites its own memory, and may never return.
 */
const DEEPEST_SYNTAX = 260

/** Parentheses leave no trace in the syntax; it is the grammar's own stack that they take. */
export const MOST_BRACKETS = 500

const OPENING: ReadonlySet<string> = new Set(['ASCII_40', 'ASCII_91', 'CASE'])
const CLOSING: ReadonlySet<string> = new Set(['ASCII_41', 'ASCII_93', 'END_P'])
/** What makes lists, which are flat: each word one, whose depth is a level for all that is in it. */
const SEPARATING: ReadonlySet<string> = new Set(['AND', 'OR', 'ASCII_44'])

/** Where a text is nested too deeply, and of what there is too much. */
export interface TooDeep {
  readonly token: Token
  readonly of: 'levels' | 'brackets'
}

/**
 * The first token at which the text may be nested too deeply for the parser, or `null`. Every level takes a token at
 * least (NOT, a minus), or joins parts: so the tokens since the last separator, and one for each kind of separator, on
 * each level, are a bound.
 *
 * Holds for expressions only: a UNION of many is deep without such tokens.
 */
export function tooDeep(tokens: readonly Token[]): TooDeep | null {
  const joining = joins(tokens)
  const outer: { readonly here: number; readonly cost: number }[] = []
  let here = 0
  let sum = joining.get(null) ?? 0
  for (const token of tokens) {
    if (OPENING.has(token.token_kind)) {
      const cost = here + (joining.get(token) ?? 0) + (token.token_kind === 'ASCII_40' ? 0 : 1)
      outer.push({ here, cost })
      sum += cost
      here = 0
    } else if (CLOSING.has(token.token_kind)) {
      const last = outer.pop()
      if (last !== undefined) {
        sum -= last.cost
        here = last.here + 1
      }
    } else if (SEPARATING.has(token.token_kind)) {
      here = 0
    } else {
      here += 1
    }
    if (sum + here > DEEPEST_SYNTAX) return { token, of: 'levels' }
    if (outer.length > MOST_BRACKETS) return { token, of: 'brackets' }
  }
  return null
}

/** What is between a bracket and the one that closes it. */
interface Level {
  readonly token: Token | null
  readonly kinds: Set<string>
}

/** How many kinds of separators stand between a bracket and the one that closes it; `null`: outside of all brackets. */
function joins(tokens: readonly Token[]): ReadonlyMap<Token | null, number> {
  const counts = new Map<Token | null, number>()
  const outer: Level[] = []
  let here: Level = { token: null, kinds: new Set() }
  for (const token of tokens) {
    if (OPENING.has(token.token_kind)) {
      outer.push(here)
      here = { token, kinds: new Set() }
    } else if (CLOSING.has(token.token_kind)) {
      here = outer.pop() ?? here
    } else if (SEPARATING.has(token.token_kind)) here.kinds.add(token.token_kind)
    counts.set(here.token, here.kinds.size)
  }
  return counts
}
