import { expect, test } from 'vitest'
import type { RelationMessage } from '../pgoutput/relation-message.ts'
import type { RowIdentity } from './row-identity.ts'
import { identityOfMessage } from './row-identity.ts'

/** A shape as the stream announces it; a column with a star is part of the replica identity. */
function message(replicaIdentity: string, ...columns: readonly string[]): RelationMessage {
  return {
    oid: 1,
    schema: 'public',
    name: 't',
    replicaIdentity,
    columns: columns.map((column) => ({
      name: column.replace('*', ''),
      typeOid: 23,
      typeModifier: -1,
      isIdentity: column.endsWith('*'),
    })),
  }
}

function known(sent: readonly string[], primaryKey: readonly string[], old: RowIdentity['old'] = 'all'): RowIdentity {
  return { sent, primaryKey, old, isPartitioned: false }
}

test.each<
  [string, RelationMessage, RowIdentity | null, RowIdentity | null, RowIdentity['primaryKey'], RowIdentity['old']]
>([
  [
    'the catalogue gives the order of the key',
    message('d', 'a*', 'b*'),
    known(['a', 'b'], ['b', 'a']),
    null,
    ['b', 'a'],
    ['a', 'b'],
  ],
  ['the message says which key it was', message('d', 'a*', 'b'), known(['a', 'b'], ['b']), null, ['a'], ['a']],
  ['a dropped table has the key of the message', message('d', 'a*', 'b'), null, null, ['a'], ['a']],
  [
    'a dropped table has the key that was known',
    message('f', 'a*', 'b*'),
    null,
    known(['a', 'b'], ['b']),
    ['b'],
    'all',
  ],
  ['a renamed key column keeps its place', message('f', 'x*', 'b*'), null, known(['a', 'b'], ['a']), ['x'], 'all'],
  [
    'a key that was renamed later has its old name',
    message('f', 'a*', 'b*'),
    known(['x', 'b'], ['x']),
    null,
    ['a'],
    'all',
  ],
  [
    'a key that was dropped later is the last one',
    message('f', 'a*', 'b*'),
    known(['a', 'b'], []),
    known(['a', 'b'], ['a']),
    ['a'],
    'all',
  ],
  [
    'where columns came, too, the last key counts',
    message('f', 'a*', 'b*'),
    known(['x', 'b', 'c'], ['x']),
    known(['a', 'b'], ['a']),
    ['a'],
    'all',
  ],
  ['an index of a table that nobody knows is its key', message('i', 'a*', 'b'), null, null, ['a'], ['a']],
  [
    'a table without identity goes on as it was',
    message('d', 'a', 'b'),
    known(['a', 'b'], [], []),
    known(['a', 'b'], ['a'], ['a']),
    ['a'],
    ['a'],
  ],
  ['a table that never had a key has none', message('d', 'a'), known(['a'], [], []), null, [], []],
])('%s', (_, announced, now, last, primaryKey, old) => {
  expect(identityOfMessage(announced, now, last)).toMatchObject({ primaryKey, old })
})
