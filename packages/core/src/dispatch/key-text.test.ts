import { expect, test } from 'vitest'
import type { ColumnType } from '../conditions/column-type.ts'
import type { Relation } from '../contract/relation.ts'
import { listenRequest } from '../options/listen-request.ts'
import { tupleOf } from '../testing/conditions/tuple-of.ts'
import { SCRIPTED_CAPABILITIES, textRelation } from '../testing/scripted-driver.ts'
import { keyTextOf } from './key-text.ts'
import { projection } from './projection.ts'

function keyTexts(name: string, texts: readonly string[]): ReadonlySet<string> {
  const type: ColumnType = {
    kind: 'base',
    name,
    castName: `"pg_catalog"."${name}"`,
    displayName: name,
    collation: null,
  }
  const relation: Relation = textRelation('t', ['id'])
  const typed = { ...relation, columns: relation.columns.map((column) => ({ ...column, type })) }
  const bound = projection(typed, listenRequest(SCRIPTED_CAPABILITIES, { table: 't' }))
  return new Set(texts.map((text) => keyTextOf(tupleOf([text]), bound, typed)))
}

test('keys that are equal to PostgreSQL share a text, however they are printed', () => {
  expect(keyTexts('numeric', ['1', '1.0', '1.000']).size).toBe(1)
  expect(keyTexts('float8', ['0', '-0']).size).toBe(1)
  expect(keyTexts('numeric', ['1', '2', '10']).size).toBe(3)
  expect(keyTexts('int4', ['1', '2']).size).toBe(2)
})

test('keys of a type whose equality is not known here all share one: they stay in order', () => {
  expect(keyTexts('box', ['(1,1),(0,0)', '(2,2),(0,0)']).size).toBe(1)
})
