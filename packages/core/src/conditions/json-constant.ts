import { invalidOptions } from '../options/check-option-names.ts'
import type { BoundColumn } from './bound-condition.ts'

/** A JSON token: a string, a number or word, or structure. */
const TOKEN = /\s*("(?:[^"\\]|\\.)*"|[[\]{},:]|[^\s"[\]{},:]+)\s*/gu

/**
 * What JSON says, in the input syntax of the column's type.
 *
 * @throws RowtapError ERR_INVALID_OPTIONS where the type is neither an array nor json nor jsonb.
 */
export function jsonConstantText(column: BoundColumn, json: string): string {
  const { type } = column
  if (type.kind === 'base' && (type.name === 'jsonb' || type.name === 'json')) return json
  if (type.kind === 'array' && json.trimStart().startsWith('[')) return arrayText(json)
  throw invalidOptions(
    `'where' compares the column ${JSON.stringify(column.column)} with an array or object, and its type is ${type.displayName}: write the value as PostgreSQL does, in a string.`,
  )
}

/** A JSON array as the text of an array. Numbers keep the digits that they have; objects stay JSON, as elements. */
function arrayText(json: string): string {
  let result = ''
  let element = ''
  let objects = 0
  for (const match of json.matchAll(TOKEN)) {
    const token = match[1] ?? ''
    if (token === '{') objects++
    if (objects > 0) {
      element += token
      if (token === '}') objects--
      if (objects === 0) {
        result += quoted(element)
        element = ''
      }
    } else if (token === '[') result += '{'
    else if (token === ']') result += '}'
    else if (token === ',') result += ','
    else if (token === 'null') result += 'NULL'
    else result += quoted(token.startsWith('"') ? String(JSON.parse(token)) : token)
  }
  return result
}

function quoted(element: string): string {
  return `"${element.replaceAll(/["\\]/gu, (character) => `\\${character}`)}"`
}
