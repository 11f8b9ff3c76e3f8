import { invalidOptions } from '../options/check-option-names.ts'
import { valueKind } from '../options/value-kind.ts'
import type { Constant } from './condition.ts'
import { isStorableText } from './storable-text.ts'

/**
 * A JavaScript value as a constant of the column's type.
 *
 * - A string is taken as it is: PostgreSQL's input syntax.
 * - A Date is local time with its offset, as `pg` sends it: what `pg` made of a date, a timestamp or a timestamptz becomes that again.
 * - Bytes become `\x…`; an array or a plain object becomes an array, json or jsonb, as the column is.
 *
 * @throws RowtapError ERR_INVALID_OPTIONS for what is no value.
 */
export function constantOf(value: unknown, where: string): Constant {
  switch (typeof value) {
    case 'string':
      return { text: checkedText(value, where), type: null }
    case 'number':
    case 'bigint':
    case 'boolean':
      return { text: String(value), type: null }
    case 'object':
      if (value === null) return { text: null, type: null }
      if (value instanceof Date) return { text: dateText(value, where), type: null }
      if (value instanceof Uint8Array) return { text: bytesText(value), type: null }
      return { text: jsonText(value, where), type: 'json' }
    default:
      throw notAValue(value, where)
  }
}

function notAValue(value: unknown, where: string): Error {
  return invalidOptions(
    value === undefined
      ? `${where} is undefined: give it a value, or leave that part out.`
      : `${where} is ${valueKind(value)}, which is no value of a column.`,
  )
}

function checkedText(text: string, where: string): string {
  if (isStorableText(text)) return text
  throw invalidOptions(`${where} holds a character that PostgreSQL has not (NUL, or half of a surrogate pair).`)
}

function bytesText(bytes: Uint8Array): string {
  return `\\x${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')}`
}

function dateText(date: Date, where: string): string {
  if (Number.isNaN(date.getTime())) throw invalidOptions(`${where} is an invalid Date.`)
  const year = date.getFullYear()
  const day = `${digits(year > 0 ? year : 1 - year, 4)}-${digits(date.getMonth() + 1, 2)}-${digits(date.getDate(), 2)}`
  const time = `${digits(date.getHours(), 2)}:${digits(date.getMinutes(), 2)}:${digits(date.getSeconds(), 2)}.${digits(date.getMilliseconds(), 3)}`
  return `${day} ${time}${offsetText(date)}${year > 0 ? '' : ' BC'}`
}

/** Zones of long ago are some seconds off the minute, which `getTimezoneOffset` does not tell. */
function offsetText(date: Date): string {
  const local = new Date(0)
  local.setUTCFullYear(date.getFullYear(), date.getMonth(), date.getDate())
  local.setUTCHours(date.getHours(), date.getMinutes(), date.getSeconds(), date.getMilliseconds())
  const offset = Math.round((local.getTime() - date.getTime()) / 1000)
  const seconds = Math.abs(offset)
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60]
  return `${offset < 0 ? '-' : '+'}${parts.map((part) => digits(part, 2)).join(':')}`
}

function digits(value: number, width: number): string {
  return String(value).padStart(width, '0')
}

/** How deep a value may be nested. One that contains itself has no end. */
const DEEPEST_JSON = 1000

/** JSON with the digits of a bigint; what JSON has no form for is refused, where JSON.stringify would say null. */
function jsonText(value: unknown, where: string, levels: number = 0): string {
  if (levels > DEEPEST_JSON) {
    throw invalidOptions(
      `${where} is nested more than ${DEEPEST_JSON} levels deep: see that it does not contain itself.`,
    )
  }
  switch (typeof value) {
    case 'string':
      return JSON.stringify(checkedText(value, where))
    case 'bigint':
    case 'boolean':
      return String(value)
    case 'number':
      if (Number.isFinite(value)) return String(value)
      throw invalidOptions(`${where} holds ${value}, which JSON has no form for: write the whole value as a string.`)
    case 'object':
      if (value === null) return 'null'
      if (Array.isArray(value)) return `[${value.map((element) => jsonText(element, where, levels + 1)).join(',')}]`
      if (value instanceof Date) return JSON.stringify(dateText(value, where))
      if (value instanceof Uint8Array) return JSON.stringify(bytesText(value))
      return objectText(value, where, levels + 1)
    default:
      throw notAValue(value, where)
  }
}

function objectText(value: object, where: string, levels: number): string {
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) {
    throw invalidOptions(`${where} is ${valueKind(value)}, which is no value of a column: write it as a string.`)
  }
  const members = Object.entries(value).map(
    ([name, member]) => `${JSON.stringify(checkedText(name, where))}:${jsonText(member, where, levels)}`,
  )
  return `{${members.join(',')}}`
}
