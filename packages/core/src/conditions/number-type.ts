import type { NumberType } from './condition.ts'

/** The types as which numbers can be compared. */
export type ComparedNumber = 'int2' | 'int4' | 'int8' | 'numeric' | 'float4' | 'float8' | 'oid'

/** From left to right each casts implicitly to the next, and to none before it. */
const RANKS: readonly ComparedNumber[] = ['int2', 'int4', 'int8', 'numeric', 'float4', 'float8']

/**
 * The type as which PostgreSQL compares a column of type `columnType` with a number that has a type of its own;
 * `null` where there is no such operator. https://www.postgresql.org/docs/current/typeconv-oper.html
 */
export function numberComparison(columnType: string, constant: NumberType): ComparedNumber | null {
  switch (columnType) {
    case 'int2':
    case 'int4':
    case 'int8':
    case 'numeric':
      return higher(columnType, constant)
    case 'float4':
    case 'float8':
      // `real = 0.1` compares two values of double precision, whatever the constant's type.
      return 'float8'
    case 'oid':
      return constant === 'int4' || constant === 'int8' ? 'oid' : null
    default:
      return null
  }
}

/**
 * The same for two and more constants in a list: there all are cast to one type, which need not be the one of a
 * single comparison (`real IN (0.1, 0.2)` compares values of type real).
 * https://www.postgresql.org/docs/current/typeconv-union-case.html
 */
export function numberListComparison(columnType: string, constants: readonly NumberType[]): ComparedNumber | null {
  if (columnType === 'oid') {
    return constants.every((constant) => constant === 'int4' || constant === 'int8') ? 'oid' : null
  }
  let common = RANKS.find((rank) => rank === columnType)
  if (common === undefined) return null
  for (const constant of constants) common = higher(common, constant)
  return common
}

function higher(left: ComparedNumber, right: ComparedNumber): ComparedNumber {
  return RANKS.indexOf(left) >= RANKS.indexOf(right) ? left : right
}
