import { existsSync } from 'node:fs'
import { open as openFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import type { Change, Relation } from '@rowtap/core/driver'
import { RowtapError } from '@rowtap/core/driver'
import { expect, test } from 'vitest'
import { MalformedMessage } from '../pgoutput/malformed-message.ts'
import type { RelationMessage } from '../pgoutput/relation-message.ts'
import { InFlight } from './in-flight.ts'
import type { OpenTransactionsOptions } from './streaming/open-transactions.ts'
import { openIn } from './streaming/spill-file.ts'
import { WalMessages } from './wal-messages.ts'

const uint32 = (value: number): string => value.toString(16).padStart(8, '0')
const uint64 = (value: number): string => value.toString(16).padStart(16, '0')
const name = (text: string): string => `${Buffer.from(text).toString('hex')}00`

/** A table of one column: its shape is told apart by the column's name. */
const relation = (oid: number, column: string): string =>
  `${uint32(oid)}${name('public')}${name(`t${oid}`)}64000101${name(column)}00000019ffffffff`
const row = (oid: number, text: string): string =>
  `${uint32(oid)}4e000174${uint32(text.length)}${Buffer.from(text).toString('hex')}`

const start = (xid: number, first: boolean): string => `53${uint32(xid)}0${first ? 1 : 0}`
const stop = '45'
const commit = (xid: number, lsn: number): string => `63${uint32(xid)}00${uint64(lsn)}${uint64(lsn + 8)}${uint64(0)}`
const abort = (xid: number, subtransaction: number): string => `41${uint32(xid)}${uint32(subtransaction)}`
const streamedRelation = (xid: number, oid: number, column: string): string =>
  `52${uint32(xid)}${relation(oid, column)}`
const streamedRow = (xid: number, oid: number, text: string): string => `49${uint32(xid)}${row(oid, text)}`
const origin = `4f${uint64(1)}${name('o')}`
const begin = (xid: number, lsn: number): string => `42${uint64(lsn)}${uint64(0)}${uint32(xid)}`
const end = (lsn: number): string => `4300${uint64(lsn)}${uint64(lsn + 8)}${uint64(0)}`
const plainRelation = (oid: number, column: string): string => `52${relation(oid, column)}`
const plainRow = (oid: number, text: string): string => `49${row(oid, text)}`

const IN_MEMORY: OpenTransactionsOptions = { bufferBytes: 1024 * 1024, openFile: openIn(tmpdir()) }
const ON_DISK: OpenTransactionsOptions = { bufferBytes: 0, openFile: openIn(tmpdir()) }

function ofMessage({ schema, name: table, columns }: RelationMessage): Promise<Relation> {
  const described = columns.map((column) => ({ name: column.name }))
  return Promise.resolve({ schema, name: table, columns: described } as unknown as Relation)
}

const settled = (): Promise<void> => Promise.resolve()

/** What comes of messages: of each change its transaction, its column's name and value. */
async function read(
  options: OpenTransactionsOptions,
  ...sent: readonly (string | readonly string[])[]
): Promise<string[]> {
  const messages = new WalMessages({ relations: { ofMessage }, inFlight: new InFlight(), settled, open: options })
  const changes: Change[] = []
  try {
    for (const [index, text] of sent.flat().entries()) {
      const buffer = Buffer.from(text, 'hex')
      await messages.take(buffer, 0, buffer.length, 0, index, changes)
      while (messages.isReplaying) await messages.replay(changes, 40)
    }
    return changes.map(
      ({ transaction, relation: { columns }, new: values }) =>
        `${transaction.id} ${columns[0]?.name ?? ''}=${values?.text(0) ?? ''}`,
    )
  } finally {
    await messages.close()
  }
}

for (const [where, options] of [
  ['in memory', IN_MEMORY],
  ['on the disk', ON_DISK],
] as const) {
  test(`delivers transactions whose parts are mixed in the order of their commits (${where})`, async () => {
    expect(
      await read(
        options,
        [start(1, true), origin, streamedRelation(1, 7, 'a'), streamedRow(1, 7, 'one'), stop],
        [start(2, true), streamedRelation(2, 7, 'a'), streamedRow(2, 7, 'two'), stop],
        [begin(3, 50), plainRelation(7, 'a'), plainRow(7, 'three'), end(50)],
        [start(1, false), streamedRow(1, 7, 'one more'), stop],
        commit(2, 100),
        [start(1, false), stop],
        commit(1, 200),
      ),
    ).toEqual(['3 a=three', '2 a=two', '1 a=one', '1 a=one more'])
  })

  test(`leaves out the subtransactions that are rolled back, and transactions (${where})`, async () => {
    expect(
      await read(
        options,
        [start(1, true), streamedRelation(1, 7, 'a'), streamedRow(1, 7, 'x'), streamedRow(2, 7, 'y'), stop],
        [start(10, true), streamedRelation(10, 7, 'a'), streamedRow(10, 7, 'gone'), stop],
        abort(1, 2),
        [start(1, false), streamedRelation(1, 7, 'a'), streamedRow(3, 7, 'z'), streamedRow(4, 7, 'w'), stop],
        [abort(1, 4), abort(10, 10), abort(99, 99)],
        commit(1, 100),
      ),
    ).toEqual(['1 a=x', '1 a=z'])
  })
}

test('what a transaction announces holds for itself until it is committed', async () => {
  const before = [begin(9, 10), plainRelation(7, 'old'), plainRow(7, '1'), end(10)]
  const altered = [start(1, true), streamedRelation(1, 7, 'new'), streamedRow(1, 7, '2'), stop]
  const after = (xid: number): string[] => [begin(xid, 300 + xid), plainRow(7, '3'), end(300 + xid)]
  // Rolled back: as if it had never been.
  expect(await read(IN_MEMORY, ...before, ...altered, ...after(20), abort(1, 1), ...after(21))).toEqual([
    '9 old=1',
    '20 old=3',
    '21 old=3',
  ])
  // Committed: the server does not announce it again.
  expect(await read(IN_MEMORY, ...before, ...altered, commit(1, 200), ...after(20))).toEqual([
    '9 old=1',
    '1 new=2',
    '20 new=3',
  ])
  // What was announced later holds, although it was committed sooner.
  const later = [begin(8, 20), plainRelation(7, 'later'), plainRow(7, '4'), end(20)]
  expect(await read(IN_MEMORY, ...before, ...altered, ...later, commit(1, 200), ...after(20))).toEqual([
    '9 old=1',
    '8 later=4',
    '1 new=2',
    '20 later=3',
  ])
})

test.each([
  ['a part within a part', [start(1, true), start(2, true)]],
  ['the end of a part that has not begun', [stop]],
  ['a first part that is not the first', [start(1, true), stop, start(1, true)]],
  ['a later part that is the first', [start(1, false)]],
  ['the commit of a transaction that has not begun', [commit(1, 100)]],
  ['a commit within a part', [start(1, true), commit(1, 100)]],
  ['a rollback within a part', [start(1, true), abort(1, 1)]],
  ['a commit within another transaction', [start(1, true), stop, begin(2, 50), commit(1, 100)]],
  ['a message without its transaction', [start(1, true), '490000']],
  ['a row of a table that was not announced', [start(1, true), streamedRow(1, 7, 'x'), stop, commit(1, 100)]],
  ['a part with something behind its end', [start(1, true), `${stop}00`]],
])('refuses %s', async (_, sent) => {
  await expect(read(ON_DISK, ...sent)).rejects.toThrow(MalformedMessage)
})

test.skipIf(!existsSync('/dev/full'))('fails with one clear error where the disk is full', async () => {
  const full: OpenTransactionsOptions = { bufferBytes: 0, openFile: () => openFile('/dev/full', 'r+') }
  const failure = read(full, start(1, true), streamedRelation(1, 7, 'a'))
  await expect(failure).rejects.toSatisfy((error) => RowtapError.is(error, 'ERR_STORAGE'))
})
