import { expect, test } from 'vitest'
import { boundedColumns } from './bounded-columns.ts'
import type { ColumnType } from './column-type.ts'
import { conditionOf } from './condition-of.ts'
import { normalisedConstants } from './normalise-constants.ts'

function base(name: string, order: 'code point' | 'locale' | null = null): ColumnType {
  const collation = order === null ? null : { name: order, order, asciiCase: false }
  return { kind: 'base', name, castName: `"pg_catalog"."${name}"`, displayName: name, collation }
}

const COLUMNS = [
  { name: 'id', type: base('int4') },
  { name: 'total', type: base('numeric') },
  { name: 'note', type: base('text', 'code point') },
  { name: 'city', type: base('text', 'locale') },
]

const FROM_5 = { text: '5', inclusive: true }
const TO_9 = { text: '9', inclusive: false }

test.each<[object, object[]]>([
  [{ id: { gte: 5, lt: 9 } }, [{ index: 0, lower: FROM_5, upper: TO_9, decides: true }]],
  [
    { and: [{ and: [{ id: { gte: 5 } }] }, { id: { lt: 9 } }] },
    [{ index: 0, lower: FROM_5, upper: TO_9, decides: true }],
  ],
  [{ id: { between: [5, 9] } }, [{ index: 0, lower: FROM_5, upper: { text: '9', inclusive: true }, decides: true }]],
  [{ id: { gt: 5 } }, [{ index: 0, lower: { text: '5', inclusive: false }, upper: null, decides: true }]],
  // Of equal ends the one that leaves itself out is the tighter.
  [
    { and: [{ total: { gte: '1.50' } }, { total: { gt: '1.5' } }] },
    [{ index: 1, lower: { text: '1.5', inclusive: false }, upper: null, decides: true }],
  ],
  [
    { and: [{ total: { lt: '1.5' } }, { total: { lte: '1.50' } }, { total: { lte: 'NaN' } }] },
    [{ index: 1, lower: null, upper: { text: '1.5', inclusive: false }, decides: true }],
  ],
  [{ id: { gte: 5 }, note: { like: 'a%' } }, [{ index: 0, lower: FROM_5, upper: null, decides: false }]],
  [
    { id: { gte: 5 }, note: { lt: 'b' } },
    [
      { index: 0, lower: FROM_5, upper: null, decides: false },
      { index: 2, lower: null, upper: { text: 'b', inclusive: false }, decides: false },
    ],
  ],
  // Nothing is said of another type's constant, of NULL, or where one of several is enough.
  [{ kind: 'compare', column: 'id', operator: 'lt', constant: { text: '5.5', type: 'numeric' } }, []],
  [{ kind: 'compare', column: 'id', operator: 'lt', constant: { text: null, type: null } }, []],
  [{ or: [{ id: { lt: 1 } }, { id: { gt: 5 } }] }, []],
  [{ not: { id: { between: [5, 9] } } }, []],
])('the columns that %j confines', async (where, expected) => {
  const condition = conditionOf(where)
  const constants = await normalisedConstants(condition, COLUMNS, (all) =>
    Promise.resolve(all.map(({ text }) => ({ text }))),
  )
  const bounded = boundedColumns(condition, COLUMNS, constants)
  expect(bounded.map(({ index, lower, upper, decides }) => ({ index, lower, upper, decides }))).toEqual(expected)
})
