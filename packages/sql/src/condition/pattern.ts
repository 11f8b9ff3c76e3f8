import type { ComparisonOperator, Condition, Constant } from '@rowtap/core/conditions'
import type { SyntaxNode } from '../syntax/syntax-tree.ts'
import { namesOf } from '../syntax/syntax-tree.ts'
import { boundConstant } from './bound-constant.ts'
import { columnName } from './column-name.ts'
import { comparison } from './comparison.ts'
import { comparedWithNull } from './null-constant.ts'
import { operandOf } from './operand.ts'
import { placed } from './placed.ts'
import type { Reading } from './reading.ts'
import { refusal } from './refusal.ts'

/** LIKE and ILIKE, with an ESCAPE or without. The operator is at `at`. */
export function patternCondition(
  [left, right]: readonly [SyntaxNode, SyntaxNode],
  operator: ComparisonOperator,
  at: number,
  reading: Reading,
): Condition {
  const call = right.FuncCall
  if (call === undefined) return comparison([left, right], operator, at, reading)
  const [pattern, escape] = call.args ?? []
  if (namesOf(call.funcname).join('.') !== 'pg_catalog.like_escape' || pattern === undefined || escape === undefined) {
    throw refusal(right, reading)
  }
  const column = columnName(left, reading)
  if (column === null)
    throw reading.source.error('The column belongs on the left of LIKE, the pattern on the right.', left)
  const patternText = quotedText(pattern, reading)
  const escapeText = quotedText(escape, reading)
  if (patternText === null || escapeText === null) {
    throw comparedWithNull(operator, patternText === null ? pattern : escape, reading)
  }
  const characters = Array.from(escapeText)
  if (characters.length > 1) {
    throw reading.source.error('The text after ESCAPE has one character, or none, which turns escapes off.', escape)
  }
  const constant: Constant = { text: standardPattern(patternText, characters[0] ?? null), type: null }
  return placed(
    { kind: 'compare', column: column.name, operator, constant },
    { ...column, operator: at },
    [pattern],
    reading,
  )
}

/** A pattern with the escape character of its own as one with `\`. As PostgreSQL's `like_escape` does it. */
export function standardPattern(pattern: string, escape: string | null): string {
  if (escape === '\\') return pattern
  let standard = ''
  let afterEscape = false
  for (const character of pattern) {
    if (character === escape && !afterEscape) {
      standard += '\\'
      afterEscape = true
    } else {
      standard += character === '\\' && !afterEscape ? '\\\\' : character
      afterEscape = false
    }
  }
  return standard
}

function quotedText(node: SyntaxNode, reading: Reading): string | null {
  const { literal, cast } = operandOf(node, reading)
  if (cast === null) {
    if (literal.kind === 'quoted') return literal.text
    if (literal.kind === 'null') return null
    if (literal.kind === 'bound' && (typeof literal.value === 'string' || literal.value === null)) {
      return boundConstant(literal.value, literal.name, node, reading).text
    }
  }
  throw reading.source.error('A pattern is a text: write it in quotes.', node)
}
