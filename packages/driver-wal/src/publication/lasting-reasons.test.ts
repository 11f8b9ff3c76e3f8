import { expect, test } from 'vitest'
import { lastingReasons } from './lasting-reasons.ts'
import type { AttachedTable } from './attached-tables.ts'

const facts = {
  oid: 7,
  schema: 'public',
  name: 't',
  kind: 'r',
  owner: 'app',
  ownerIsSuperuser: false,
  isOwned: true,
  schemaIsOpen: true,
  isSystem: false,
  columns: [],
  droppedColumns: [],
  primaryKey: [],
  storage: [],
  family: [7],
}
const attached: AttachedTable = { oid: 7, table: { schema: 'public', name: 't' }, kind: 'all', facts }
const dropped = { attached, facts: null, isPublished: false, isPartition: false }

test('a table that was dropped has a successor where another one is called the same', () => {
  expect(lastingReasons({ ...dropped, named: 8 })).toEqual([expect.stringContaining('made since is called the same')])
})

test.each([null, 7])('a table that was dropped, also while a look was at it, has none otherwise: %s', (named) => {
  expect(lastingReasons({ ...dropped, named })).toEqual([
    'Table public.t was dropped: nothing of it is captured any more.',
  ])
})
