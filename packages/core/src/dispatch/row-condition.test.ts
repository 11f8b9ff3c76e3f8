import { expect, test } from 'vitest'
import { unknownType } from '../conditions/unknown-type.ts'
import { position } from '../contract/position.ts'
import type { RelationColumn } from '../contract/relation.ts'
import { RoutedChange } from './routed-change.ts'
import { conditionTruth, RowCondition } from './row-condition.ts'

function routed(leftOut: boolean, kind: 'insert' | 'delete' = 'insert'): RoutedChange {
  const column = (name: string): RelationColumn => ({
    name,
    type: unknownType('int4'),
    mayBeUnavailable: false,
    neverSent: null,
    typeOid: 23,
    typeName: 'integer',
    parse: Number,
  })
  const last = { ...column('a'), ...(leftOut ? { leftOut } : {}) }
  const relation = {
    schema: 'public',
    name: 't',
    columns: [column('id'), last],
    primaryKey: [0],
    oldColumns: [0],
    oldRowsStatement: null,
  }
  const at = position('1')
  const row = { text: (index: number): string | undefined => (index === 0 ? '1' : undefined) }
  const made = {
    kind,
    relation,
    new: kind === 'insert' ? row : null,
    old: kind === 'delete' ? row : null,
    transaction: { id: '1', commitTime: null },
    id: '1',
    position: at,
  }
  return new RoutedChange(made, { pending: 0, last: at }, 0)
}

test('a new row without a value that a condition needs is an error, unless nobody wanted the value when it was written', () => {
  const condition = new RowCondition({ columns: [1], evaluate: () => 'unavailable', isTrue: () => 'unavailable' })
  expect(() => condition.truthOf(routed(false))).toThrow(/arrived without a value/)
  expect(condition.truthOf(routed(true))).toEqual(conditionTruth(false, false))
})

test('a row that is deleted, of which nobody wanted the value when it was written, is passed over, and otherwise it is unknown', () => {
  const condition = new RowCondition({ columns: [1], evaluate: () => 'unavailable', isTrue: () => 'unavailable' })
  expect(condition.truthOf(routed(false, 'delete'))).toEqual(conditionTruth('unknown', false))
  expect(condition.truthOf(routed(true, 'delete'))).toEqual(conditionTruth(false, false))
})
