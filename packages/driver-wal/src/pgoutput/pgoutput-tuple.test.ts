import type { RelationColumn } from '@rowtap/core/driver'
import { expect, test } from 'vitest'
import { PgoutputTuple } from './pgoutput-tuple.ts'
import { ReceivedBytes } from './received-bytes.ts'

/** A row as pgoutput writes it; `null` is NULL, `undefined` a value that an update left alone. */
function rowOf(values: readonly (string | null | undefined)[]): Buffer {
  const columns = values.map((value) => {
    if (value === null) return Buffer.from('n')
    if (value === undefined) return Buffer.from('u')
    const text = Buffer.from(value)
    const length = Buffer.alloc(4)
    length.writeUInt32BE(text.length)
    return Buffer.concat([Buffer.from('t'), length, text])
  })
  const count = Buffer.alloc(2)
  count.writeUInt16BE(values.length)
  return Buffer.concat([count, ...columns])
}

/** A column whose values are told from their texts. */
function column(ofPart = false): RelationColumn {
  return {
    name: 'c',
    type: {
      kind: 'base',
      castName: 'text',
      displayName: 'text',
      name: 'text',
      collation: { name: 'C', order: 'code point', asciiCase: true },
    },
    mayBeUnavailable: false,
    neverSent: null,
    typeOid: 25,
    typeName: 'text',
    parse: (text) => `<${text}>`,
    ...(ofPart ? { parsePart: (text, start, end) => `<${text.substring(start, end)}>` } : {}),
  }
}

const values = ['1', null, undefined, 'a text that is longer than others', 'grün', '2026-01-01 00:00:00+00', '']

test('has texts and values of its columns, in any order', () => {
  const row = new PgoutputTuple(new ReceivedBytes(rowOf(values)), 0, false)
  for (const index of [0, 1, 2, 3, 4, 5, 6, 4, 0, 6, 2, 3, 3]) {
    const text = values[index]
    expect(row.text(index)).toBe(text)
    const value = typeof text === 'string' ? `<${text}>` : text
    expect(row.value(index, column())).toBe(value)
    expect(text === 'grün' ? value : row.value(index, column(true))).toBe(value)
  }
  expect(row.text(7)).toBeUndefined()
  expect(row.value(7, column())).toBeUndefined()
})

test('where it has key columns only, what is NULL was not sent', () => {
  const row = new PgoutputTuple(new ReceivedBytes(rowOf(['1', null])), 0, true)
  expect([row.text(0), row.text(1), row.value(1, column())]).toEqual(['1', undefined, undefined])
})

const long = 'a'.repeat(100)

test.each<readonly [one: string | null | undefined, other: string | null | undefined, differs: boolean]>([
  ['1', '1', false],
  ['1', '2', true],
  ['1', '10', true],
  ['', '', false],
  ['', null, true],
  [null, null, false],
  [undefined, '1', false],
  [undefined, null, false],
  ['grün', 'grün', false],
  ['grün', 'grau', true],
  [long, long, false],
  [long, `${long.slice(1)}b`, true],
  [`b${long.slice(1)}`, long, true],
])('%j and %j differ: %s', (one, other, differs) => {
  const values = ['before', one, 'behind']
  const others = ['some time before', other, 'later']
  const row = new PgoutputTuple(new ReceivedBytes(rowOf(values)), 0, false)
  const old = new PgoutputTuple(new ReceivedBytes(rowOf(others)), 0, false)
  const elsewhere = { text: (index: number) => others[index] }
  for (const compared of [old, elsewhere]) expect(row.differs(1, compared)).toBe(differs)
  expect(old.differs(1, row)).toBe(differs)
  // A column that no row has, and one before the last that was asked for.
  expect([row.differs(3, old), row.differs(0, old)]).toEqual([false, true])
})

test('what a row with key columns only came without does not differ', () => {
  const row = new PgoutputTuple(new ReceivedBytes(rowOf(['2', 'new'])), 0, false)
  const old = new PgoutputTuple(new ReceivedBytes(rowOf(['1', null])), 0, true)
  expect([row.differs(0, old), row.differs(1, old)]).toEqual([true, false])
})

test('says so where its memory was given back', () => {
  const bytes = Buffer.allocUnsafeSlow(rowOf(values).length)
  rowOf(values).copy(bytes)
  const row = new PgoutputTuple(new ReceivedBytes(bytes), 0, false)
  const memory = bytes.buffer
  if (!(memory instanceof ArrayBuffer)) throw new Error('The bytes have memory of their own.')
  memory.transfer(0)
  expect(() => row.text(0)).toThrow('released')
  expect(() => row.value(3, column())).toThrow('released')
})
