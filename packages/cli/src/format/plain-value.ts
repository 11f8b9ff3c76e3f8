import type { TableName } from '@rowtap/core'
import { formatTableName } from '@rowtap/core'

const bare = /^[\p{L}\p{N}_.:@+/\\-]+$/u
const timestamp = /^\d{4,}-\d\d-\d\d \d\d:\d\d:[\d.:+-]+$/
const plain = /^[\p{L}_][\p{L}\p{N}_$]*$/u
// What could move the cursor, colour the screen or turn the text's direction.
const unsafe = /[\p{Cc}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu

/** A value for a person: text as it is where that is clear, in quotes otherwise; nothing in it can steer a terminal. */
export function plainValue(value: unknown): string {
  if (typeof value === 'string' && value !== 'null' && (bare.test(value) || timestamp.test(value))) return value
  return escaped(JSON.stringify(value ?? null))
}

/** A column's name for a person, in quotes where that makes it clear, and safe in the same way. */
export function plainName(name: string): string {
  return plain.test(name) ? name : escaped(JSON.stringify(name))
}

/** A table's name for a person, as SQL would have it, and safe in the same way. */
export function plainTable(table: TableName): string {
  return escaped(formatTableName(table))
}

function escaped(text: string): string {
  return text.replaceAll(unsafe, (character) => `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`)
}
