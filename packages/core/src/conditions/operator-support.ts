import type { BaseType, Collation, ColumnType } from './column-type.ts'
import type { NumberType } from './condition.ts'
import { numberComparison } from './number-type.ts'
import type { ConditionOperator, OperatorClass } from './operator.ts'
import { OPERATORS } from './operator.ts'

/** Where an operator on a type can be evaluated. */
export interface OperatorSupport {
  /**
   * - `'process'`: exactly, by this package.
   * - `'database'`: exactly by PostgreSQL only.
   * - `false`: the type does not have the operator.
   */
  readonly where: 'process' | 'database' | false
  /** Why, in a sentence for messages. */
  readonly reason: string
}

/** `'text'`: depends on the collation. */
type Rule = 'process' | 'database' | 'text' | false

type TypeRules = Readonly<Record<Exclude<OperatorClass, 'null' | 'boolean'>, Rule>>

/** A few types have one of `=` and `<>` only; for the others it is the same answer. */
function rules(equality: Rule, order: Rule, like: Rule, ilike: Rule, inequality: Rule = equality): TypeRules {
  return { equality, inequality, order, like, ilike }
}

const ORDERED: TypeRules = rules('process', 'process', false, false)
const TEXT: TypeRules = rules('text', 'text', 'text', 'text')
const DATABASE_ORDERED: TypeRules = rules('database', 'database', false, false)
const DATABASE_ORDERED_NO_INEQUALITY: TypeRules = rules('database', 'database', false, false, false)
const DATABASE_EQUALITY: TypeRules = rules('database', false, false, false, false)
const INCOMPARABLE: TypeRules = rules(false, false, false, false)
const UNKNOWN: TypeRules = rules('database', 'database', 'database', 'database')

const BASE_TYPES: ReadonlyMap<string, TypeRules> = new Map(
  Object.entries({
    bool: ORDERED,
    int2: ORDERED,
    int4: ORDERED,
    int8: ORDERED,
    oid: ORDERED,
    xid8: ORDERED,
    numeric: ORDERED,
    float4: ORDERED,
    float8: ORDERED,
    text: TEXT,
    varchar: TEXT,
    bpchar: TEXT,
    name: TEXT,
    char: rules('process', 'process', 'database', 'database'),
    citext: rules('text', 'database', 'database', 'database'),
    date: ORDERED,
    time: ORDERED,
    timetz: ORDERED,
    timestamp: ORDERED,
    timestamptz: ORDERED,
    interval: ORDERED,
    uuid: ORDERED,
    bytea: rules('process', 'process', 'database', false),
    bit: ORDERED,
    varbit: ORDERED,
    inet: ORDERED,
    cidr: ORDERED,
    macaddr: ORDERED,
    macaddr8: ORDERED,
    pg_lsn: ORDERED,
    // Its texts are compared by bytes, as under a deterministic collation.
    jsonb: rules('text', 'database', false, false),
    json: INCOMPARABLE,
    xml: INCOMPARABLE,
    point: rules(false, false, false, false, 'database'),
    polygon: INCOMPARABLE,
    jsonpath: INCOMPARABLE,
    line: DATABASE_EQUALITY,
    xid: rules('database', false, false, false),
    cid: DATABASE_EQUALITY,
    money: DATABASE_ORDERED,
    tid: DATABASE_ORDERED,
    box: DATABASE_ORDERED_NO_INEQUALITY,
    circle: DATABASE_ORDERED,
    lseg: DATABASE_ORDERED,
    path: DATABASE_ORDERED_NO_INEQUALITY,
    tsvector: DATABASE_ORDERED,
    tsquery: DATABASE_ORDERED,
  } satisfies Record<string, TypeRules>),
)

/** The base types that have rules of their own. */
export const KNOWN_BASE_TYPES: readonly string[] = [...BASE_TYPES.keys()]

const EXACT = 'It is evaluated exactly in the process.'

/**
 * Where `operator` on a column of this type can be evaluated: a total answer, and the reason for it.
 *
 * @param numberType the constant's own type where it has one ({@link NumberType}), as a number in SQL text has.
 */
export function operatorSupport(
  type: ColumnType,
  operator: ConditionOperator,
  numberType: NumberType | null = null,
): OperatorSupport {
  const operatorClass = OPERATORS[operator].class
  if (operatorClass === 'null') return nullSupport(type)
  if (operatorClass === 'boolean') return booleanSupport(type)
  if (numberType !== null) return numberSupport(type, operatorClass, numberType)
  switch (type.kind) {
    case 'base':
      return baseSupport(type, operatorClass)
    case 'enum':
      return operatorClass === 'like' || operatorClass === 'ilike' ? lacks(type, operator) : process()
    case 'array':
    case 'range':
    case 'multirange':
      return containerSupport(type, operator)
    case 'composite':
      return { where: false, reason: `PostgreSQL cannot compare the row type ${type.displayName} with a constant.` }
  }
}

function process(): OperatorSupport {
  return { where: 'process', reason: EXACT }
}

function database(reason: string): OperatorSupport {
  return { where: 'database', reason }
}

function lacks(type: ColumnType, operator: ConditionOperator): OperatorSupport {
  return { where: false, reason: `The type ${type.displayName} has no operator ${OPERATORS[operator].sql}.` }
}

function nullSupport(type: ColumnType): OperatorSupport {
  if (type.kind !== 'composite') return process()
  return database(
    `Of a row type (${type.displayName}) IS NULL asks whether every field is NULL, which only PostgreSQL can tell.`,
  )
}

function booleanSupport(type: ColumnType): OperatorSupport {
  if (type.kind === 'base' && type.name === 'bool') return process()
  return { where: false, reason: `Only a boolean is a condition by itself, and the type is ${type.displayName}.` }
}

function numberSupport(type: ColumnType, operatorClass: OperatorClass, numberType: NumberType): OperatorSupport {
  const isEquality = operatorClass === 'equality' || operatorClass === 'inequality'
  const as =
    type.kind === 'base' && (isEquality || operatorClass === 'order') ? numberComparison(type.name, numberType) : null
  if (
    type.kind !== 'base' ||
    (as === null && BASE_TYPES.has(type.name) && !(type.name === 'xid' && isEquality && numberType === 'int4'))
  ) {
    return {
      where: false,
      reason: `PostgreSQL has no such operator for ${type.displayName} and a constant of type ${numberType}: write the constant in quotes.`,
    }
  }
  if (as === null)
    return database(`Only PostgreSQL compares values of the type ${type.displayName} with numbers exactly.`)
  if (type.name === 'numeric' && as === 'float8') {
    return database(
      'A numeric beside a constant of type float8 is compared as float8, which fails in PostgreSQL where the numeric is too large.',
    )
  }
  return process()
}

function baseSupport(type: BaseType, operatorClass: OperatorClass): OperatorSupport {
  if (operatorClass === 'null' || operatorClass === 'boolean') return process()
  const rule = (BASE_TYPES.get(type.name) ?? UNKNOWN)[operatorClass]
  if (rule === false) {
    return { where: false, reason: `PostgreSQL has no such operator for the type ${type.displayName}.` }
  }
  if (rule === 'process') return process()
  if (rule === 'text') return textSupport(type, type.collation, operatorClass)
  return database(`Only PostgreSQL compares values of the type ${type.displayName} exactly.`)
}

function textSupport(type: BaseType, collation: Collation | null, operatorClass: OperatorClass): OperatorSupport {
  if (collation === null) return database(`The collation of the type ${type.displayName} is not known.`)
  if (collation.order === 'encoding')
    return database(`The database's encoding is not UTF8, and only PostgreSQL knows the bytes that it compares.`)
  if (collation.order === 'nondeterministic') {
    return database(
      `Under the collation ${collation.name} different texts may be equal, which only PostgreSQL can tell.`,
    )
  }
  if (operatorClass === 'order' && collation.order !== 'code point') {
    return database(
      `Only PostgreSQL knows the order of texts under the collation ${collation.name}: under COLLATE "C" it is known everywhere.`,
    )
  }
  if ((operatorClass === 'ilike' || type.name === 'citext') && !collation.asciiCase) {
    return database(`Only PostgreSQL knows the upper and lower case of letters under the collation ${collation.name}.`)
  }
  return process()
}

function containerSupport(
  type: Exclude<ColumnType, { readonly kind: 'base' | 'enum' | 'composite' }>,
  operator: ConditionOperator,
): OperatorSupport {
  const operatorClass = OPERATORS[operator].class
  if (operatorClass === 'like' || operatorClass === 'ilike') return lacks(type, operator)
  if (type.kind === 'multirange') return operatorSupport(type.range, operator)
  const member = type.kind === 'array' ? type.element : type.subtype
  // A row type inside an array is compared field by field, and its constant is the array's, not a row's.
  if (member.kind === 'composite')
    return database(`Only PostgreSQL compares values of the type ${type.displayName} exactly.`)
  // However a container is compared, its members are compared by their default order, whose equality is `=`.
  const support = operatorSupport(member, operatorClass === 'order' ? 'lt' : 'eq')
  if (support.where === false) {
    return {
      where: false,
      reason: `The type ${type.displayName} is compared by its ${type.kind === 'array' ? 'elements' : 'bounds'}. ${support.reason}`,
    }
  }
  if (operatorClass === 'order') return database(`Only PostgreSQL orders values of the type ${type.displayName}.`)
  if (type.kind === 'range' && (!type.defaultOrder || (member.kind !== 'base' && member.kind !== 'enum'))) {
    return database(`Only PostgreSQL compares the bounds of the range type ${type.displayName} exactly.`)
  }
  return support
}
