import type { Change, Relation } from '@rowtap/core/driver'
import { expect, test } from 'vitest'
import { MalformedMessage } from '../pgoutput/malformed-message.ts'
import { ChangeDecoder } from './change-decoder.ts'
import { InFlight } from './in-flight.ts'

const relation: Relation = {
  schema: 'public',
  name: 't',
  columns: [],
  primaryKey: [],
  oldColumns: [],
  oldRowsStatement: null,
}

// As PostgreSQL 18.4 sent them for `CREATE TABLE t (id int PRIMARY KEY, v text)`.
const RELATION = '52 00004306 7075626c696300 7400 64 0002 01 696400 00000017 ffffffff 00 7600 00000019 ffffffff'
const BEGIN = '42 000000013f5c7600 000303ade02773f1 000004cd'
const COMMIT = '43 00 000000013f5c7600 000000013f5c7630 000303ade02773f1'
const INSERT = '49 00004306 4e 0002 74 00000001 31 6e'
const UPDATE = '55 00004306 4e 0002 74 00000001 31 75'
const KEY_UPDATE = '55 00004306 4b 0002 74 00000001 31 6e 4e 0002 74 00000001 32 75'
const FULL_UPDATE = '55 00004306 4f 0002 74 00000001 32 6e 4e 0002 74 00000001 33 6e'
const DELETE = '44 00004306 4b 0002 74 00000001 33 6e'
const TRUNCATE = '54 00000001 00 00004306'
const TYPE = '59 00004040 7000 7400'
const ORIGIN = '4f 0000000000000001 6f00'
const MESSAGE = '4d 01 0000000000000009 7000 00000002 0007'
const ALONE = '4d 00 0000000000000009 7000 00000000'

function bytesOf(message: string): Buffer {
  return Buffer.from(message.replaceAll(' ', ''), 'hex')
}

/** A decoder that has seen messages, and the changes in them. */
function decode(...messages: readonly string[]): { changes: Change[]; inFlight: InFlight } {
  const inFlight = new InFlight()
  const decoder = new ChangeDecoder(inFlight)
  const changes: Change[] = []
  for (const [index, message] of messages.entries()) {
    // Something else is before and behind it, as in what the socket gives.
    const buffer = Buffer.concat([Buffer.from('noise'), bytesOf(message), Buffer.from('noise')])
    const shape = decoder.decode(buffer, 5, buffer.length - 5, 1, index, changes)
    if (shape !== null) decoder.define(shape, relation)
  }
  return { changes, inFlight }
}

function rows(changes: readonly Change[]): unknown[] {
  return changes.map((change) => [
    change.kind,
    ...[change.old, change.new].map((row) => row && [row.text(0), row.text(1), row.text(2)]),
  ])
}

test('decodes every kind of change', () => {
  const { changes, inFlight } = decode(
    RELATION,
    BEGIN,
    INSERT,
    UPDATE,
    KEY_UPDATE,
    FULL_UPDATE,
    DELETE,
    TRUNCATE,
    COMMIT,
  )
  expect(rows(changes)).toEqual([
    ['insert', null, ['1', null, undefined]],
    ['update', null, ['1', undefined, undefined]],
    ['update', ['1', undefined, undefined], ['2', undefined, undefined]],
    ['update', ['2', null, undefined], ['3', null, undefined]],
    ['delete', ['3', undefined, undefined], null],
    ['truncate', null, null],
  ])
  expect(changes[0]).toMatchObject({
    id: '0000000100000002-0',
    position: '000000013f5c7600/0000000100000002-00000000',
    transaction: { id: '1229', commitTime: new Date(Number(0x000303ade02773f1n / 1000n) + Date.UTC(2000, 0, 1)) },
  })
  expect(changes[5]).toMatchObject({
    id: '0000000100000007-t17158',
    position: '000000013f5c7600/0000000100000007-00004306',
  })
  expect(new Set(changes.map((change) => change.transaction)).size).toBe(1)
  expect(inFlight.received).toBe(0x13f5c7630n)
})

test('tells of logical messages, and of the transaction that they belong to', () => {
  const told: unknown[] = []
  const inFlight = new InFlight()
  const decoder = new ChangeDecoder(inFlight, ({ prefix, content, transactional, id, transaction }) =>
    told.push([prefix, Buffer.from(content).toString('hex'), transactional, id, transaction?.id]),
  )
  for (const message of [BEGIN, MESSAGE, COMMIT, ALONE]) {
    const buffer = bytesOf(message)
    decoder.decode(buffer, 0, buffer.length, 0, 0, [])
  }
  expect(told).toEqual([
    ['p', '0007', true, '0000000000000008-m', '1229'],
    ['p', '', false, '0000000000000008-m', undefined],
  ])
  // Neither the transaction nor what came alone is handled.
  expect(inFlight.flushed).toBe(0n)
})

test('reads a row in any order', () => {
  const { changes } = decode(RELATION, BEGIN, INSERT)
  const row = changes[0]?.new
  expect([row?.text(1), row?.text(0), row?.text(1), row?.text(2), row?.text(0)]).toEqual([
    null,
    '1',
    null,
    undefined,
    '1',
  ])
})

test('numbers the rows of one log record', () => {
  const decoder = new ChangeDecoder(new InFlight())
  const changes: Change[] = []
  const feed = (message: string, low: number): void => {
    const buffer = bytesOf(message)
    const shape = decoder.decode(buffer, 0, buffer.length, 0, low, changes)
    if (shape !== null) decoder.define(shape, relation)
  }
  for (const [message, low] of [
    [RELATION, 0],
    [BEGIN, 9],
    [INSERT, 10],
    [INSERT, 10],
    [RELATION, 0],
    [INSERT, 10],
    [INSERT, 11],
  ] as const)
    feed(message, low)
  expect(changes.map((change) => change.id)).toEqual([
    '000000000000000a-0',
    '000000000000000a-1',
    '000000000000000a-2',
    '000000000000000b-0',
  ])
})

test('passes over what says nothing about rows', () => {
  expect(decode(TYPE, BEGIN, ORIGIN, MESSAGE, COMMIT, ALONE).changes).toEqual([])
})

test('refuses bytes that are not what the protocol says, wherever they are cut', () => {
  const rowsAndMore = [INSERT, UPDATE, KEY_UPDATE, FULL_UPDATE, DELETE, TRUNCATE, COMMIT, ORIGIN, MESSAGE]
  for (const message of [RELATION, BEGIN, TYPE, ALONE, ...rowsAndMore]) {
    const before = rowsAndMore.includes(message) ? [RELATION, BEGIN] : []
    expect(() => decode(...before, `${message}00`), `${message} and a byte`).toThrow(MalformedMessage)
    const bytes = message.replaceAll(' ', '')
    for (let length = 2; length < bytes.length; length += 2) {
      expect(() => decode(...before, bytes.slice(0, length)), `${length / 2} bytes of ${message}`).toThrow(
        MalformedMessage,
      )
    }
  }
})

test.each([
  ['a message of an unknown type', [RELATION, BEGIN, '7a']],
  ['a change outside a transaction', [RELATION, INSERT]],
  ['a change of a table that was not announced', [BEGIN, INSERT]],
  ['a transaction within another', [BEGIN, BEGIN]],
  ['a commit at no time that there is', [BEGIN.replace('000303ade02773f1', '7fffffffffffffff')]],
  ['a message of a transaction outside of one', [MESSAGE]],
  ['an end without a beginning', [COMMIT]],
  ['a row with another number of columns', [RELATION, BEGIN, '4900004037 4e 0001 6e']],
  ['a value in a form that was not asked for', [RELATION, BEGIN, '4900004037 4e 0002 6e 62 00000000']],
  ['an insert with an old row', [RELATION, BEGIN, INSERT.replace('4e 0002', '4f 0002')]],
])('refuses %s', (_, messages) => {
  expect(() => decode(...messages)).toThrow(MalformedMessage)
})
