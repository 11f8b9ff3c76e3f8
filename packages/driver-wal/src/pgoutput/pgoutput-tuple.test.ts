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
function column(keepsText?: boolean): RelationColumn {
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
    ...(keepsText === undefined ? {} : { keepsText }),
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
    expect(text === 'grün' ? value : row.value(index, column(false))).toBe(value)
  }
  expect(row.text(7)).toBeUndefined()
  expect(row.value(7, column())).toBeUndefined()
})

test('where it has key columns only, what is NULL was not sent', () => {
  const row = new PgoutputTuple(new ReceivedBytes(rowOf(['1', null])), 0, true)
  expect([row.text(0), row.text(1), row.value(1, column())]).toEqual(['1', undefined, undefined])
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
