import type { BaseType, ColumnType } from '../column-type.ts'
import type { ComparedNumber } from '../number-type.ts'
import { asciiComparison, charComparison, lsnComparison } from './byte-comparison.ts'
import type { Comparison } from './comparison.ts'
import { arrayComparison, rangeComparison } from './container-comparison.ts'
import { enumComparison } from './enum-comparison.ts'
import { inetComparison } from './inet-comparison.ts'
import { intervalComparison } from './interval-comparison.ts'
import { jsonbComparison } from './jsonb-comparison.ts'
import {
  decimalComparison,
  floatComparison,
  integerAsFloatComparison,
  integerComparison,
  singleAsFloatComparison,
  smallIntegerComparison,
} from './number-comparison.ts'
import { asciiCaseComparison, blankPaddedComparison, textComparison } from './text-comparison.ts'
import { timeComparison, timetzComparison } from './time-comparison.ts'
import { timestampComparison, timestamptzComparison } from './timestamp-comparison.ts'

const BASE_TYPES: ReadonlyMap<string, Comparison> = new Map([
  ['bool', asciiComparison],
  ['int2', smallIntegerComparison],
  ['int4', smallIntegerComparison],
  ['oid', smallIntegerComparison],
  ['int8', integerComparison],
  ['xid8', integerComparison],
  ['numeric', decimalComparison],
  ['float4', floatComparison],
  ['float8', floatComparison],
  ['text', textComparison],
  ['varchar', textComparison],
  ['name', textComparison],
  ['bpchar', blankPaddedComparison],
  ['citext', asciiCaseComparison],
  ['char', charComparison],
  ['date', timestampComparison],
  ['timestamp', timestampComparison],
  ['timestamptz', timestamptzComparison],
  ['time', timeComparison],
  ['timetz', timetzComparison],
  ['interval', intervalComparison],
  ['uuid', asciiComparison],
  ['bytea', asciiComparison],
  ['bit', asciiComparison],
  ['varbit', asciiComparison],
  ['inet', inetComparison],
  ['cidr', inetComparison],
  ['macaddr', asciiComparison],
  ['macaddr8', asciiComparison],
  ['pg_lsn', lsnComparison],
  ['jsonb', jsonbComparison],
])

/**
 * How the values of a type are compared in the process; `null` where they are not. Whether that is exact for an
 * operator is what `operatorSupport` says.
 */
export function comparisonOf(type: ColumnType): Comparison | null {
  switch (type.kind) {
    case 'base':
      return BASE_TYPES.get(type.name) ?? null
    case 'enum':
      return enumComparison(type)
    case 'array':
      return ofKey(comparisonOf(type.element), arrayComparison)
    case 'range':
      return ofKey(comparisonOf(type.subtype), rangeComparison)
    case 'multirange':
      return type.range.kind === 'range' ? comparisonOf(type.range) : null
    case 'composite':
      return null
  }
}

/** How a number's column is compared with a constant that was cast to another number's type. */
export function numberComparisonOf(type: BaseType, as: ComparedNumber): Comparison | null {
  if (as === type.name) return comparisonOf(type)
  switch (as) {
    case 'int2':
    case 'int4':
    case 'int8':
    case 'numeric':
    case 'oid':
      return decimalComparison
    case 'float4':
      return null
    case 'float8':
      if (type.name === 'float4') return singleAsFloatComparison
      return type.name === 'numeric' ? null : integerAsFloatComparison
  }
}

type Key = (text: string) => string

function ofKey(member: Comparison | null, make: (key: Key, checkedKey?: Key) => Comparison): Comparison | null {
  return member === null || member.key === null ? null : make(member.key, member.checkedKey)
}
