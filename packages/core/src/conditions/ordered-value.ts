import type { ColumnType } from './column-type.ts'
import type { TextOrder } from './comparison/comparison.ts'
import { comparisonOf } from './comparison/comparison-of.ts'
import { operatorSupport } from './operator-support.ts'

/** PostgreSQL's order of a type's values, given as the type's output function prints them. */
export interface ValueOrder {
  /** Prepares a value to be compared with others. */
  readonly compareTo: (text: string) => TextOrder
  /**
   * A number for a value, such that of two values with different numbers the one with the greater number is the
   * greater. Equal numbers say nothing; NaN: no number is known for it.
   */
  readonly approximate: (text: string) => number
}

/** The order of a type's values; `null` for types whose order is not known in the process. */
export function valueOrder(type: ColumnType): ValueOrder | null {
  if (operatorSupport(type, 'lt').where !== 'process') return null
  const compareTo = comparisonOf(type)?.compareTo
  if (compareTo === undefined || compareTo === null) return null
  const name = type.kind === 'base' ? type.name : ''
  // Not every one of its values can be prepared, and there are too few of them to need an index.
  if (name === 'char') return null
  return { compareTo, approximate: APPROXIMATIONS.get(name) ?? unknown }
}

/**
 * A value that is compared with many others: as numbers where that settles it, and exactly where it does not. What an
 * exact comparison needs is made when the first of them is.
 */
export class OrderedValue {
  readonly text: string
  /** See {@link ValueOrder}. */
  readonly near: number
  readonly #order: ValueOrder
  #compareTo: TextOrder | null = null

  constructor(text: string, order: ValueOrder) {
    this.text = text
    this.near = order.approximate(text)
    this.#order = order
  }

  /** How it stands to another: negative where it is less, 0 where it is equal, positive where it is greater. */
  compare({ text, near }: { readonly text: string; readonly near: number }): number {
    return this.compareWith(text, near)
  }

  /** The same, with another of which this is the text and the approximate number. */
  compareWith(text: string, near: number): number {
    if (this.near < near) return -1
    if (this.near > near) return 1
    if (this.text === text) return 0
    this.#compareTo ??= this.#order.compareTo(this.text)
    // Not negated: of equal values that would be -0.
    return 0 - this.#compareTo(text)
  }
}

const APPROXIMATIONS: ReadonlyMap<string, (text: string) => number> = new Map([
  ['int2', Number],
  ['int4', Number],
  ['int8', Number],
  ['oid', Number],
  ['xid8', Number],
  ['numeric', Number],
  ['float4', Number],
  ['float8', Number],
  ['date', approximateTime],
  ['timestamp', approximateTime],
  ['timestamptz', approximateUtcTime],
])

function unknown(): number {
  return Number.NaN
}

const MINUS = 45
const PLUS = 43
const DIGIT_ZERO = 48
const DATE_LENGTH = 10

/** The digits of a date and time of day in a year of four digits after Christ, down to the second. */
function approximateTime(text: string): number {
  if (text.charCodeAt(4) !== MINUS || !isDigit(text.charCodeAt(0)) || !isDigit(text.charCodeAt(text.length - 1))) {
    return Number.NaN
  }
  const day = (digits(text, 0) * 100 + digits(text, 2)) * 10_000 + digits(text, 5) * 100 + digits(text, 8)
  if (text.length === DATE_LENGTH) return day * 1_000_000
  return day * 1_000_000 + digits(text, 11) * 10_000 + digits(text, 14) * 100 + digits(text, 17)
}

/** The same where the time is printed in UTC: others are not in the order of their digits. */
function approximateUtcTime(text: string): number {
  const zone = text.length - 3
  const isUtc = text.charCodeAt(zone) === PLUS && digits(text, zone + 1) === 0
  return isUtc ? approximateTime(text) : Number.NaN
}

function digits(text: string, at: number): number {
  return (text.charCodeAt(at) - DIGIT_ZERO) * 10 + text.charCodeAt(at + 1) - DIGIT_ZERO
}

function isDigit(unit: number): boolean {
  return unit >= DIGIT_ZERO && unit <= 57
}
