import { expect, test } from 'vitest'
import type { RelationMessage } from '../pgoutput/relation-message.ts'
import { columnNumbers } from './column-numbers.ts'
import type { TableFacts } from './table-facts.ts'

const INTEGER = 23
const TEXT = 25

/** Columns with types: `'id v=text'` has one of integers and one of texts. */
function columnsOf(text: string): readonly { readonly name: string; readonly typeOid: number }[] {
  return text.split(' ').flatMap((column) => {
    const [name = '', type] = column.split('=')
    return name === '' ? [] : [{ name, typeOid: type === 'text' ? TEXT : INTEGER }]
  })
}

function message(text: string): RelationMessage {
  const columns = columnsOf(text).map((column) => ({ ...column, typeModifier: -1, isIdentity: false }))
  return { oid: 1, schema: 'public', name: 't', replicaIdentity: 'f', columns }
}

/** A table whose columns have the numbers of their places: `-` is one that was dropped, `(v)` one that is never sent. */
function table(text: string): TableFacts {
  const places = text.split(' ')
  const columns = columnsOf(text).map(({ name, typeOid }, at) => ({
    name: name.replaceAll(/[()]/g, ''),
    number: at + 1,
    typeOid,
    typeModifier: -1,
    typeName: '',
    baseTypeOid: typeOid,
    isSent: !name.startsWith('('),
    isVirtual: false,
    mayBeToasted: false,
  }))
  return {
    oid: 1,
    schema: 'public',
    name: 't',
    kind: 'r',
    owner: 'o',
    ownerIsSuperuser: false,
    isOwned: true,
    schemaIsOpen: true,
    isSystem: false,
    columns: columns.filter(({ name }) => name !== '-'),
    droppedColumns: places.flatMap((place, at) => (place === '-' ? [at + 1] : [])),
    primaryKey: [],
    storage: [],
    family: [1],
  }
}

test.each([
  ['as they are', 'id v', 'id v', [1, 2]],
  ['after others that were dropped', 'id v', 'id - - v', [1, 4]],
  ['before one was added', 'id v', 'id v w', [1, 2]],
  ['before one was dropped', 'id v w', 'id - w', [1, 2, 3]],
  ['before one was renamed', 'id v w', 'id x w', [1, 2, 3]],
  ['before one got another type', 'id v=text w', 'id v w', [1, 2, 3]],
  ['before one took the name of another', 'id v w n', 'id x v n', [1, 2, 3, 4]],
  ['before they took each other’s names', 'id v w', 'id w v', [1, 2, 3]],
  ['before one was made anew', 'id v n', 'id - n v', [1, 2, 3]],
  ['beside one that is never sent', 'id w', 'id (v) w', [1, 3]],
  ['before one with its name had another type', 'id v=text', 'id x=text v', [1, 3]],
  ['where there are too few places', 'id v w', 'id v', [null, null, null]],
  ['none', '', 'id v', []],
])('the columns of a message are found in the table: %s', (_when, sent, there, numbers) => {
  expect(columnNumbers(message(sent), table(there))).toEqual(numbers)
})
