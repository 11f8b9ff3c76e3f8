import { foreignOperatorHint } from '../syntax/foreign-operator.ts'
import { SUBQUERY } from '../syntax/parsed-text.ts'
import type { OperatorNode, SyntaxNode } from '../syntax/syntax-tree.ts'
import { namesOf, startOf } from '../syntax/syntax-tree.ts'
import type { Reading } from './reading.ts'

/** What to do where a condition would have to compute. */
const WAY_OUT = 'Compare a generated column that holds the result, or test that part in the handler.'

const COMPARED_AGAIN = 'The result of a comparison cannot be compared again: combine comparisons with AND, OR and NOT.'

const SENTENCES: Readonly<Record<string, string>> = {
  ColumnRef: `A column stands here where a constant belongs: write a text in 'single quotes'.`,
  TypeCast: `A condition cannot cast a column or an expression: compare the column itself. ${WAY_OUT}`,
  BoolExpr: 'A condition cannot be an operand: combine conditions with AND, OR and NOT only.',
  NullTest: 'A condition cannot be an operand: combine conditions with AND, OR and NOT only.',
  BooleanTest: 'A condition cannot be an operand: combine conditions with AND, OR and NOT only.',
  CaseExpr: 'A condition cannot contain CASE: write it with AND and OR.',
  CoalesceExpr: 'A condition cannot call a function (COALESCE): ask for NULL with IS NULL.',
  MinMaxExpr: 'A condition cannot call a function (GREATEST or LEAST): write it with AND and OR.',
  SQLValueFunction:
    'This word is a function, whose value changes: bind the value instead, or put the word in double quotes if it is a column.',
  RowExpr: 'A condition cannot compare rows: compare their columns, joined by AND.',
  A_ArrayExpr: 'An array can stand only in = ANY (ARRAY[…]) and the like: write other array constants in quotes.',
  A_Indirection: `A condition cannot take a part of a value (a subscript or a field). ${WAY_OUT}`,
  CollateClause:
    'A condition cannot have COLLATE: texts are compared under the column’s own collation. Give the column another, or leave it out.',
  XmlExpr: `A condition cannot contain XML expressions. ${WAY_OUT}`,
  JsonIsPredicate: `A condition cannot contain IS JSON. ${WAY_OUT}`,
  CurrentOfExpr: 'A condition cannot be WHERE CURRENT OF: name the columns that it is about.',
  SetToDefault: 'A condition cannot contain DEFAULT: write the value.',
  GroupingFunc: `A condition cannot call a function (GROUPING). ${WAY_OUT}`,
}

/** The error for a node that cannot be part of a condition, or not at this place. */
export function refusal(node: SyntaxNode, reading: Reading): Error {
  const { source } = reading
  if (node.FuncCall !== undefined) return source.error(functionSentence(namesOf(node.FuncCall.funcname)), node)
  if (node.A_Expr !== undefined) return operatorRefusal(node.A_Expr, reading)
  if (node.SubLink !== undefined) return source.error(SUBQUERY, node.SubLink.location)
  const kind = Object.keys(node)[0] ?? 'this'
  return source.error(SENTENCES[kind] ?? `A condition cannot contain this (${kind}). ${WAY_OUT}`, node)
}

/** The error for an operator that conditions do not have, or not at this place. */
export function operatorRefusal(node: OperatorNode, reading: Reading): Error {
  const { source } = reading
  switch (node.kind) {
    case 'AEXPR_NULLIF':
      return source.error('A condition cannot call a function (NULLIF): write it with AND and OR.', node.location)
    case 'AEXPR_SIMILAR':
      return source.error('A condition cannot have SIMILAR TO: use LIKE.', node.location)
    case 'AEXPR_OP':
    case 'AEXPR_OP_ANY':
    case 'AEXPR_OP_ALL':
      return namedOperatorRefusal(node, reading)
    default:
      return source.error(COMPARED_AGAIN, node.location)
  }
}

function namedOperatorRefusal(node: OperatorNode, { source }: Reading): Error {
  const operator = namesOf(node.name).join('.')
  if (['=', '<>', '<', '<=', '>', '>='].includes(operator)) return source.error(COMPARED_AGAIN, node.location)
  const start = startOf({ A_Expr: node })
  const date = operator === '-' ? /^\d{1,4}-\d{1,2}-\d{1,2}/u.exec(source.text.slice(source.offset(start))) : null
  if (date !== null) {
    return source.error(
      `A condition computes nothing, and this is a subtraction: write a date in quotes: '${date[0]}'.`,
      start,
    )
  }
  const hint = foreignOperatorHint(operator)
  return source.error(
    hint === null
      ? `A condition cannot use the operator ${operator}: it compares columns with constants, and computes nothing. ${WAY_OUT}`
      : `A condition cannot use the operator ${operator}: ${hint}.`,
    node.location,
  )
}

function functionSentence(names: readonly string[]): string {
  const [schema, name] = names
  // What has a syntax of its own is a function of this schema in the tree, whatever the text says.
  if (schema === 'pg_catalog' && name === 'timezone') return 'A condition cannot have AT TIME ZONE: bind the value.'
  if (schema === 'pg_catalog' && name === 'like_escape')
    return 'ESCAPE can stand only after a pattern of LIKE or ILIKE.'
  return `A condition cannot call a function (${names.join('.')}): it compares columns with constants, and computes nothing. ${WAY_OUT}`
}
