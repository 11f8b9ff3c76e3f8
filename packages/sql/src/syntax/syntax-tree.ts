/**
 * The part of PostgreSQL's raw parse tree that conditions are made of, as libpg_query prints it: members that are
 * zero, false or empty are left out. A node is an object with one member, named after its kind.
 *
 * https://github.com/pganalyze/libpg_query, src/include/pg_query_outfuncs_json.c
 */
export interface SyntaxNode {
  readonly A_Expr?: OperatorNode
  readonly BoolExpr?: { readonly boolop: 'AND_EXPR' | 'OR_EXPR' | 'NOT_EXPR'; readonly args: readonly SyntaxNode[] }
  readonly NullTest?: { readonly arg: SyntaxNode; readonly nulltesttype: 'IS_NULL' | 'IS_NOT_NULL' }
  readonly BooleanTest?: { readonly arg: SyntaxNode; readonly booltesttype: BooleanTestType }
  readonly ColumnRef?: { readonly fields: readonly SyntaxNode[]; readonly location: number }
  readonly A_Const?: ConstantNode
  readonly ParamRef?: { readonly number?: number; readonly location: number }
  readonly TypeCast?: TypeCastNode
  readonly FuncCall?: { readonly funcname: readonly SyntaxNode[]; readonly args?: readonly SyntaxNode[] }
  readonly SubLink?: { readonly location: number }
  readonly A_ArrayExpr?: { readonly elements?: readonly SyntaxNode[] }
  readonly List?: { readonly items: readonly SyntaxNode[] }
  readonly String?: { readonly sval?: string }
}

/** An operator with its operands, of which a prefix operator has the right one only. */
export interface OperatorNode {
  readonly kind: string
  readonly name: readonly SyntaxNode[]
  readonly lexpr?: SyntaxNode
  readonly rexpr?: SyntaxNode
  /** Where the operator is. */
  readonly location: number
}

/** A constant: one of the members, or none, which is the empty string. */
export interface ConstantNode {
  /** Empty for 0 and, in this version of libpg_query, for every negative number. */
  readonly ival?: { readonly ival?: number }
  readonly fval?: { readonly fval?: string }
  readonly boolval?: { readonly boolval?: boolean }
  readonly sval?: { readonly sval?: string }
  readonly bsval?: { readonly bsval?: string }
  readonly isnull?: boolean
  readonly location: number
}

/** A value with the type that it is cast to. */
export interface TypeCastNode {
  readonly arg: SyntaxNode
  readonly typeName: TypeNameNode
}

/** A type's name. */
export interface TypeNameNode {
  readonly names: readonly SyntaxNode[]
  readonly setof?: boolean
  readonly pct_type?: boolean
  /** Its length or precision. */
  readonly typmods?: readonly SyntaxNode[]
  readonly arrayBounds?: readonly SyntaxNode[]
  readonly location: number
}

/** What IS asks of a boolean. */
export type BooleanTestType = 'IS_TRUE' | 'IS_NOT_TRUE' | 'IS_FALSE' | 'IS_NOT_FALSE' | 'IS_UNKNOWN' | 'IS_NOT_UNKNOWN'

/** The strings of a list of names: `pg_catalog`, `int4`. */
export function namesOf(nodes: readonly SyntaxNode[]): readonly string[] {
  return nodes.flatMap((node) => (node.String === undefined ? [] : [node.String.sval ?? '']))
}

/** Where a node begins, in bytes: the leftmost place that anything in it has. */
export function startOf(node: SyntaxNode): number {
  let start = Infinity
  const visit = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return
    for (const [name, member] of Object.entries(value)) {
      // -1 is "not known", and nothing begins at 0: there is always SELECT before it.
      if (name === 'location' && typeof member === 'number' && member > 0) start = Math.min(start, member)
      else visit(member)
    }
  }
  visit(node)
  return start
}
