import { expect, test } from 'vitest'
import type { ComparedPartition } from './emptied-partitions.ts'
import { EmptiedPartitions } from './emptied-partitions.ts'

const table = { schema: 'public', name: 'r' }
const partition = (oid: number, file: number, writtenBy = '7'): ComparedPartition => ({
  schema: 'public',
  name: `r_${oid}`,
  oid,
  file,
  writtenBy,
  isMade: false,
})

test('a partition that is stored anew is told once the stream has come that far', () => {
  const emptied = new EmptiedPartitions()
  emptied.compare(table, [partition(1, 10), partition(2, 20)], [partition(1, 11), partition(2, 20)], 100n)
  expect(emptied.reasons(99n)).toEqual([])
  expect(emptied.reasons(100n)).toEqual([{ table, reason: expect.stringMatching(/^public\.r_1: emptied/) }])
  expect(emptied.reasons(200n)).toEqual([])
})

test('what the whole table was truncated with is not told', () => {
  const emptied = new EmptiedPartitions()
  emptied.compare(table, [partition(1, 10), partition(2, 20)], [partition(1, 11), partition(2, 21, '8')], 100n)
  emptied.truncated(table, '7')
  expect(emptied.reasons(100n)).toEqual([{ table, reason: expect.stringMatching(/^public\.r_2: emptied/) }])
})

test('a partition that is new is not told', () => {
  const emptied = new EmptiedPartitions()
  emptied.compare(table, [], [partition(1, 10), { ...partition(2, 2), isMade: true }], 100n)
  expect(emptied.reasons(100n)).toEqual([])
})

test('a partition that was made, and is not stored as it was then, is told', () => {
  const emptied = new EmptiedPartitions()
  const storesNothing = { ...partition(2, 0), isMade: true }
  emptied.compare(table, [], [{ ...partition(1, 10), isMade: true }, storesNothing], 100n)
  expect(emptied.reasons(100n)).toEqual([{ table, reason: expect.stringMatching(/^public\.r_1: emptied/) }])
})

test('many are not all named', () => {
  const emptied = new EmptiedPartitions()
  const oids = Array.from({ length: 1000 }, (_, oid) => oid)
  emptied.compare(
    table,
    oids.map((oid) => partition(oid, 1)),
    oids.map((oid) => partition(oid, 2)),
    100n,
  )
  expect(emptied.reasons(100n)).toEqual([
    { table, reason: expect.stringContaining('public.r_4 and 995 others: emptied') },
  ])
})

test('until it is known what became of a partition, it is known as it was stored before', () => {
  const emptied = new EmptiedPartitions()
  emptied.compare(table, [partition(1, 10)], [partition(1, 11)], 100n)
  emptied.compare(table, [partition(1, 11)], [partition(1, 12)], 200n)
  expect([...emptied.undecided]).toEqual([[1, 10]])
  emptied.reasons(100n)
  expect([...emptied.undecided]).toEqual([[1, 11]])
  emptied.reasons(200n)
  expect([...emptied.undecided]).toEqual([])
})
