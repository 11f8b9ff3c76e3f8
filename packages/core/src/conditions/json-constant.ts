import type { BoundColumn } from './bound-condition.ts'
import { columnOf, conditionRefusal } from './condition-refusal.ts'

/** A JSON token: a string, a number or word, or structure. */
const TOKEN = /\s*("(?:[^"\\]|\\.)*"|[[\]{},:]|[^\s"[\]{},:]+)\s*/gu

/**
 * What JSON says, in the input syntax of the column's type.
 *
 * @param at the index of the constant among those of its condition
 * @throws RowtapError ERR_INVALID_OPTIONS where the type is neither an array nor json nor jsonb.
 */
export function jsonConstantText(column: BoundColumn, json: string, at: number): string {
  const { type, origin } = column
  if (type.kind === 'base' && (type.name === 'jsonb' || type.name === 'json')) return json
  const isList = json.trimStart().startsWith('[')
  if (type.kind === 'array' && isList) return arrayText(json)
  throw conditionRefusal(
    'ERR_INVALID_OPTIONS',
    `'where' compares ${columnOf(column.column, origin)} with ${isList ? 'a list' : 'an object'}, and its type is ${type.displayName}: ` +
      (isList
        ? `for one of several values use the operator in, otherwise write the value in a string, as PostgreSQL does.`
        : `write the value in a string, as PostgreSQL does.`),
    origin.condition,
    at,
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
