import { expect, test } from 'vitest'
import { NestedOrder } from './nested-order.ts'
import type { BlockHeader, Counts, SizedPiece } from './table-order.ts'

/** A statement's blocks: `I3/1` is an insert of three rows at level 1. */
function block(seq: number, text: string, done: Counts, first = 0): BlockHeader {
  const match = /^([IUD])(\d+)\/(\d+|\?)$/u.exec(text)
  const level = match?.[3] === '?' ? null : Number(match?.[3])
  return {
    seq,
    root: '1',
    operation: match?.[1] ?? '',
    rows: Number(match?.[2]),
    bytes: 1,
    statement: { first, level, done },
  }
}

function order(...blocks: readonly BlockHeader[]): string {
  const nested = new NestedOrder()
  const pieces: SizedPiece[] = []
  const takeAll = (): void => {
    for (let piece = nested.take(); piece !== null; piece = nested.take()) pieces.push(piece)
  }
  for (const one of blocks.toReversed()) {
    nested.add(one)
    takeAll()
  }
  nested.end()
  takeAll()
  return pieces
    .toReversed()
    .map(({ seq, from, to }) => `${seq}[${from},${to})`)
    .join(' ')
}

test('statements that caused nothing stay in the order in which they ended', () => {
  expect(order(block(1, 'I3/1', [3, 0, 0]), block(2, 'U2/1', [3, 2, 0]), block(3, 'I1/1', [4, 2, 0]))).toBe(
    '1[0,3) 2[0,2) 3[0,1)',
  )
})

test('what a function does to a table comes before the statement that follows it', () => {
  expect(order(block(1, 'I2/9', [2, 0, 0]), block(2, 'U1/1', [2, 1, 0]))).toBe('1[0,2) 2[0,1)')
})

test('an inner statement stands between the rows that the outer one wrote before and after it', () => {
  // A BEFORE trigger changes what the statement has inserted so far, for each of three rows.
  expect(order(block(1, 'U1/5', [1, 1, 0]), block(2, 'U2/5', [2, 3, 0]), block(3, 'I3/1', [3, 3, 0]))).toBe(
    '3[0,1) 1[0,1) 3[1,2) 2[0,2) 3[2,3)',
  )
  // The same kind of operation, and levels that nobody needed.
  expect(order(block(1, 'I3/?', [4, 0, 0]), block(2, 'I2/?', [5, 0, 0]))).toBe('2[0,1) 1[0,3) 2[1,2)')
})

test('an inner statement that came before all rows of the outer one stays there', () => {
  // A BEFORE trigger deletes what has the key of the row that is about to be inserted.
  expect(order(block(1, 'D1/5', [0, 0, 1]), block(2, 'I1/1', [1, 0, 1]))).toBe('1[0,1) 2[0,1)')
  // Twice the same key: the second one replaces the first one.
  expect(order(block(1, 'D1/5', [0, 0, 1]), block(2, 'D1/5', [1, 0, 2]), block(3, 'I2/1', [2, 0, 2]))).toBe(
    '1[0,1) 3[0,1) 2[0,1) 3[1,2)',
  )
})

test('statements within statements within statements', () => {
  // outer row, inner row, innermost row, inner row, outer row
  expect(order(block(1, 'I1/9', [3, 0, 0]), block(2, 'I2/5', [4, 0, 0]), block(3, 'I2/1', [5, 0, 0]))).toBe(
    '3[0,1) 2[0,1) 1[0,1) 2[1,2) 3[1,2)',
  )
})

test('the blocks of a large statement are cut where an inner one stands', () => {
  const done: Counts = [250, 1, 0]
  expect(
    order(
      block(1, 'U1/5', [130, 1, 0]),
      block(2, 'I100/1', done),
      block(3, 'I100/1', done, 100),
      block(4, 'I50/1', done, 200),
    ),
  ).toBe('2[0,100) 3[0,30) 1[0,1) 3[30,100) 4[0,50)')
})

test('parts of one statement: what is deleted first, what is inserted last, whatever the order of their ends', () => {
  const done: Counts = [5, 3, 2]
  expect(order(block(1, 'I5/1', done), block(2, 'U3/1', done), block(3, 'D2/1', done))).toBe('3[0,2) 2[0,3) 1[0,5)')
  expect(order(block(1, 'D2/1', done), block(2, 'I5/1', done))).toBe('1[0,2) 2[0,5)')
  expect(order(block(1, 'U3/1', done), block(2, 'I5/1', done))).toBe('1[0,3) 2[0,5)')
})

test('parts of one statement keep what it caused between their rows', () => {
  // insert, update; inner delete; insert, update
  expect(order(block(1, 'D1/5', [1, 1, 1]), block(2, 'I2/1', [2, 2, 1]), block(3, 'U2/1', [2, 2, 1]))).toBe(
    '3[0,1) 2[0,1) 1[0,1) 3[1,2) 2[1,2)',
  )
})

test('writes that were taken back before an inner statement do no harm', () => {
  // outer 1; three updates taken back; inner 1
  expect(order(block(1, 'U1/5', [0, 5, 0]), block(2, 'U1/1', [0, 5, 0]))).toBe('2[0,1) 1[0,1)')
})

test('nothing comes before a TRUNCATE that came after it, and counting begins anew', () => {
  const truncate: BlockHeader = { seq: 2, root: '1', operation: 'T', rows: 1, bytes: 1, statement: null }
  expect(order(block(1, 'I5/1', [5, 0, 0]), truncate, block(3, 'I2/1', [2, 0, 0]))).toBe('1[0,5) 2[0,1) 3[0,2)')
})

test('where the server does not count, statements stay in the order in which they ended', () => {
  expect(order(block(1, 'U1/?', [0, 0, 0]), block(2, 'I3/?', [0, 0, 0]))).toBe('1[0,1) 2[0,3)')
})

test('other tables stay where they are', () => {
  const other: BlockHeader = { seq: 2, root: '2', operation: 'I', rows: 1, bytes: 1, statement: null }
  expect(order(block(1, 'U1/5', [1, 1, 0]), other, block(3, 'I1/1', [1, 1, 0]))).toBe('3[0,1) 1[0,1) 2[0,1)')
})
