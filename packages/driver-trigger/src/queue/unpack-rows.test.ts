import { expect, test } from 'vitest'
import { PACKED } from '../sql/packed-rows.ts'
import { unpackRows } from './unpack-rows.ts'

const { hasOld, hasNew, isUnwanted, isOfStatement, isLate } = PACKED

test('rows of the queue are told apart, and have their own texts', () => {
  const transactions = unpackRows({
    heads: [
      `900 11 16385 3 I 2 ${hasNew | isOfStatement}`,
      `900 14 16385 3 U 1 ${hasOld | hasNew | isOfStatement}`,
      `9001 12 16385 3 D 1 ${hasOld | isOfStatement}`,
      `90 13 16386 4 I 5 ${hasNew | isUnwanted | isOfStatement}`,
      `90 15 16386 4 T 1 0`,
      `90 9007199254740991 16386 5 I 1 ${hasNew}`,
    ].join('\n'),
    olds: '(3,old)\n(4,"gone\n)")',
    news: '(1,a)\n-\n(3,new)\n(5,last)',
  })
  expect(
    transactions.map(({ transaction, highest, remaining, nested, rows }) => ({
      ...transaction,
      highest,
      remaining,
      nested,
      rows: rows?.map(({ seq, root, shape, operation, count, isUnwanted: unwanted, ...texts }) => [
        `${seq} ${root} ${shape} ${operation} ${unwanted}`,
        unwanted ? [] : texts.olds.slice(texts.oldsFrom, texts.oldsFrom + count),
        unwanted ? [] : texts.news.slice(texts.newsFrom, texts.newsFrom + count),
      ]),
    })),
  ).toEqual([
    {
      id: '900',
      commitTime: null,
      highest: 14,
      remaining: 2,
      nested: null,
      rows: [
        ['11 16385 3 I false', [], ['(1,a)', '-']],
        ['14 16385 3 U false', ['(3,old)'], ['(3,new)']],
      ],
    },
    {
      id: '9001',
      commitTime: null,
      highest: 12,
      remaining: 1,
      nested: false,
      rows: [['12 16385 3 D false', ['(4,"gone\n)")'], []]],
    },
    {
      id: '90',
      commitTime: null,
      highest: 9007199254740991,
      remaining: 3,
      nested: false,
      rows: [
        ['13 16386 4 I true', [], []],
        ['15 16386 4 T false', [], []],
        ['9007199254740991 16386 5 I false', [], ['(5,last)']],
      ],
    },
  ])
})

test('transactions have their commit time, where the server tells it', () => {
  const transactions = unpackRows({
    heads: [
      `7 1 16385 3 T 1 0 2026-01-02 03:04:05.678901+00`,
      `7 2 16385 3 T 1 0 2026-01-02 03:04:05.678901+00`,
      `8 3 16385 3 T 1 0 2026-01-02 03:04:06+00`,
      `9 4 16385 3 T 1 0`,
    ].join('\n'),
    olds: null,
    news: null,
  })
  expect(transactions.map(({ transaction, remaining }) => [transaction.commitTime?.toISOString(), remaining])).toEqual([
    ['2026-01-02T03:04:05.678Z', 2],
    ['2026-01-02T03:04:06.000Z', 1],
    [undefined, 1],
  ])
})

test('a transaction in which a row trigger was late is read in another way', () => {
  const [late] = unpackRows({ heads: `7 1 16385 3 I 1 ${hasNew | isLate}`, olds: null, news: '(1)' })
  expect([late?.late, late?.rows, late?.remaining]).toEqual([true, null, 1])
})

test('no rows are no transactions', () => {
  expect(unpackRows({ heads: '', olds: null, news: null })).toEqual([])
})

test('texts that do not go with the rows are refused', () => {
  expect(() => unpackRows({ heads: `7 1 16385 3 I 2 ${hasNew}`, olds: null, news: '(1)' })).toThrow(
    'cannot be split into its rows',
  )
})
