import { DEEPEST_CONDITION } from '@rowtap/core/conditions'
import { sqlTextError } from '../sql-text-error.ts'
import { foreignOperatorHint } from './foreign-operator.ts'
import { MOST_BRACKETS, tooDeep } from './nesting.ts'
import type { ParserError, PostgresParser, Token } from './postgres-parser.ts'
import type { SyntaxNode } from './syntax-tree.ts'
import { startOf } from './syntax-tree.ts'

/** A text that is one expression, and its syntax. */
export interface ParsedText {
  readonly text: string
  /** The text's tokens, in order. */
  readonly tokens: readonly Token[]
  readonly expression: SyntaxNode
  /** The index in the text of a place in the expression. */
  offset(location: number): number
  /** The error that points at a node, or at a location. */
  error(sentence: string, at: SyntaxNode | number): Error
}

/** The expression is the last thing in this statement, so that whatever is before its end in the text is seen. */
const PREFIX = 'SELECT WHERE '

/** What is said of a subquery. */
export const SUBQUERY =
  'A condition cannot contain a subquery: it is about one row. Bind the values instead, or test the rest in the handler.'

/** What is said of a condition that is nested too deeply. */
export const TOO_DEEP: string = `The condition is nested too deeply: it has more than ${DEEPEST_CONDITION} levels. Write it flatter.`

/** Reserved words that begin or join queries. */
const QUERY_WORDS: ReadonlySet<string> = new Set(['SELECT', 'UNION', 'INTERSECT', 'EXCEPT'])
const COMMENTS: ReadonlySet<string> = new Set(['SQL_COMMENT', 'C_COMMENT'])

/**
 * Parses a text that must be one expression, from its first character to its last.
 *
 * @throws RowtapError ERR_INVALID_OPTIONS, pointing at the place where it is something else.
 */
export function parsedText(parser: PostgresParser, text: string): ParsedText {
  checkCharacters(text)
  const tokens = scanned(parser, text)
  const statements = parser.parse(PREFIX + text)
  if ('message' in statements) throw syntaxError(text, statements, PREFIX.length, tokens)
  checkNothingFollows(parser, text)
  const expression = onlyCondition(statements)
  // The grammar says so already; a parser that knows more kinds of statements must not get past it.
  if (expression === null) throw sqlTextError('The text is more than a condition.', text, 0)
  const indexOf = byteIndexes(text)
  const offset = (location: number): number => indexOf(location - PREFIX.length)
  return {
    text,
    tokens,
    expression,
    offset,
    error: (sentence, at) => sqlTextError(sentence, text, offset(typeof at === 'number' ? at : startOf(at))),
  }
}

/** Finds an index by its byte. A condition has many places, so that the text is not read again for each. */
function byteIndexes(text: string): (byte: number) => number {
  const length = Buffer.byteLength(text)
  if (length === text.length) return (byte) => Math.max(0, byte)
  let indexes: Uint32Array | null = null
  return (byte) => {
    indexes ??= indexesOf(text, length)
    return indexes[Math.max(0, byte)] ?? text.length
  }
}

/** Of each byte in UTF-8 the index of its character. */
function indexesOf(text: string, length: number): Uint32Array {
  const indexes = new Uint32Array(length)
  let byte = 0
  let index = 0
  for (const character of text) {
    const next = byte + Buffer.byteLength(character)
    indexes.fill(index, byte, next)
    byte = next
    index += character.length
  }
  return indexes
}

/** The location of a token in the expression's terms. */
export function locationOf(token: Token): number {
  return PREFIX.length + token.start
}

/** The parser's text ends at a NUL, and half of a surrogate pair has no bytes. */
function checkCharacters(text: string): void {
  const wrong = /[\0\p{Surrogate}]/u.exec(text)
  if (wrong !== null) {
    throw sqlTextError('SQL text cannot hold a NUL or half of a surrogate pair.', text, wrong.index)
  }
}

function scanned(parser: PostgresParser, text: string): readonly Token[] {
  const all = parser.scan(text)
  if ('message' in all) throw syntaxError(text, all, 0)
  const tokens = all.filter((token) => !COMMENTS.has(token.token_kind))
  if (tokens[0]?.token_kind === 'WHERE') {
    throw sqlTextError(
      'A condition is what follows WHERE: leave out the word WHERE.',
      text,
      indexOfByte(text, tokens[0].start),
    )
  }
  if (tokens.length === 0) {
    throw sqlTextError(`The condition is empty: leave 'where' out to have every row.`, text, 0)
  }
  for (const [at, token] of tokens.entries()) {
    if (!QUERY_WORDS.has(token.token_kind)) continue
    const sentence =
      tokens[at - 1]?.token_kind === 'ASCII_40' && token.token_kind === 'SELECT'
        ? SUBQUERY
        : `${token.token_kind} cannot stand in a condition, which is one expression about one row: write only what follows WHERE.`
    throw sqlTextError(sentence, text, indexOfByte(text, token.start))
  }
  const deep = tooDeep(tokens)
  if (deep !== null) {
    const sentence =
      deep.of === 'levels'
        ? TOO_DEEP
        : `The condition is nested too deeply: leave out some of its more than ${MOST_BRACKETS} parentheses.`
    throw sqlTextError(sentence, text, indexOfByte(text, deep.token.start))
  }
  return tokens
}

/**
 * A text that can end a statement, and can also stand in parentheses, is an expression. What is no part of one fails
 * here: `a; b`, `a ORDER BY b`, `a FOR READ ONLY`, of which the last leaves no trace in the tree. A text that closes
 * a parenthesis which it has not opened does not come here.
 */
function checkNothingFollows(parser: PostgresParser, text: string): void {
  const prefix = `${PREFIX}(`
  const statements = parser.parse(`${prefix}${text}\n)`)
  if (!('message' in statements)) return
  throw sqlTextError(
    'The condition ends before this: nothing may follow it.',
    text,
    indexOfCharacter(text, statements.cursorpos - 1 - prefix.length),
  )
}

function onlyCondition(statements: readonly SyntaxNode[]): SyntaxNode | null {
  const [statement, second] = statements
  if (statement === undefined || second !== undefined || !('SelectStmt' in statement)) return null
  const select = statement.SelectStmt
  if (typeof select !== 'object' || select === null || !('whereClause' in select)) return null
  if (Object.keys(select).some((member) => !['whereClause', 'limitOption', 'op'].includes(member))) return null
  return isNode(select.whereClause) ? select.whereClause : null
}

function isNode(value: unknown): value is SyntaxNode {
  return typeof value === 'object' && value !== null
}

function syntaxError(text: string, error: ParserError, prefixLength: number, tokens: readonly Token[] = []): Error {
  const offset = indexOfCharacter(text, error.cursorpos - 1 - prefixLength)
  const foreign = tokens.map((token) => token.text).find((operator) => foreignOperatorHint(operator) !== null)
  const hint = foreign === undefined ? '' : ` Instead of ${foreign}: ${foreignOperatorHint(foreign) ?? ''}.`
  return sqlTextError(`The condition is not valid SQL: ${error.message}.${hint}`, text, offset)
}

/** PostgreSQL counts an error's place in characters, which JavaScript has in one or two units. */
function indexOfCharacter(text: string, character: number): number {
  return Array.from(text).slice(0, Math.max(0, character)).join('').length
}

/** PostgreSQL counts a node's place in bytes. */
function indexOfByte(text: string, byte: number): number {
  return Buffer.from(text).subarray(0, Math.max(0, byte)).toString().length
}
