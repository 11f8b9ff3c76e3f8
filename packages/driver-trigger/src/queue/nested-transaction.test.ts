import type { Random } from '@rowtap/driver-testkit'
import { seededRandom } from '@rowtap/driver-testkit'
import { expect, test } from 'vitest'
import type { ReadHeaders } from './nested-transaction.ts'
import { NestedTransaction } from './nested-transaction.ts'
import type { BlockHeader } from './table-order.ts'

const OPERATIONS = ['I', 'U', 'D'] as const

/** A transaction as a server would run it. */
interface Written {
  readonly headers: BlockHeader[]
  /** The rows of each table as they were written: the number of the block, and which row of it. */
  readonly rows: Map<string, (() => string)[]>
}

/** Statements that cause others before, between and after their rows, on three tables. */
function randomTransaction(random: Random, statements: number): Written {
  const written: Written = { headers: [], rows: new Map() }
  const done = new Map<string, number[]>()
  let left = statements
  let seq = 0
  const run = (depth: number): void => {
    left -= 1
    const root = String(random.integer(3))
    const axis = random.integer(3)
    const counts = done.get(root) ?? [0, 0, 0]
    done.set(root, counts)
    const rows = written.rows.get(root) ?? []
    written.rows.set(root, rows)
    const count = random.integer(10) === 0 ? 230 : 1 + random.integer(4)
    const blocks: number[] = []
    const cause = (): void => {
      if (left > 0 && depth < 5 && random.integer(3) === 0) run(depth + 1)
    }
    for (let row = 0; row < count; row += 1) {
      cause()
      counts[axis] = (counts[axis] ?? 0) + 1
      rows.push(() => `${blocks[Math.floor(row / 100)]}/${row % 100}`)
      cause()
    }
    const [inserted = 0, updated = 0, deleted = 0] = counts
    for (let first = 0; first < count; first += 100) {
      // Numbers are missing where something was rolled back.
      seq += 1 + random.integer(2)
      blocks.push(seq)
      const statement = { first, level: null, done: [inserted, updated, deleted] as const }
      const operation = OPERATIONS[axis] ?? 'I'
      written.headers.push({ seq, root, operation, rows: Math.min(100, count - first), bytes: 10, statement })
    }
  }
  while (left > 0) run(0)
  return written
}

/** Reads as the queue does, and notes of which table. */
function reader(headers: readonly BlockHeader[]): { readonly read: ReadHeaders; readonly asked: (string | null)[] } {
  const backwards = headers.toReversed()
  const asked: (string | null)[] = []
  const read: ReadHeaders = (below, root, most) => {
    asked.push(root)
    const found: BlockHeader[] = []
    for (const header of backwards) {
      if (found.length === most) break
      if (header.seq < below && (root === null || header.root === root)) found.push(header)
    }
    return Promise.resolve(found)
  }
  return { read, asked }
}

async function rowsInOrder(
  nested: NestedTransaction,
  roots: ReadonlyMap<number, string>,
): Promise<Map<string, string[]>> {
  const rows = new Map<string, string[]>()
  for (let pieces = await nested.next(700, 3000); pieces.length > 0; pieces = await nested.next(700, 3000)) {
    for (const { seq, from, to } of pieces) {
      const root = roots.get(seq) ?? ''
      const list = rows.get(root) ?? []
      rows.set(root, list)
      for (let row = from; row < to; row += 1) list.push(`${seq}/${row}`)
    }
  }
  return rows
}

test.each([...Array(40).keys()])(
  'rows of each table come in the order in which they were written (%i)',
  async (seed) => {
    const { headers, rows } = randomTransaction(seededRandom(seed), seed % 8 === 0 ? 6000 : 60)
    const nested = new NestedTransaction(reader(headers).read)
    const inOrder = await rowsInOrder(nested, new Map(headers.map(({ seq, root }) => [seq, root])))
    expect(nested.isOver).toBe(true)
    for (const [root, list] of rows) expect(inOrder.get(root)).toEqual(list.map((row) => row()))
  },
)

test('a table that is not written to for long does not keep the others in memory: its next block is looked up', async () => {
  const header = (seq: number, root: string, inserted: number): BlockHeader => ({
    seq,
    root,
    operation: 'I',
    rows: 1,
    bytes: 10,
    statement: { first: 0, level: null, done: [inserted, 0, 0] },
  })
  const many = Array.from({ length: 30_000 }, (_, index) => header(index + 2, 'many', index + 1))
  const { read, asked } = reader([header(1, 'few', 1), ...many, header(30_002, 'few', 2)])
  const nested = new NestedTransaction(read)
  const rows = await rowsInOrder(
    nested,
    new Map([
      [1, 'few'],
      [30_002, 'few'],
    ]),
  )
  expect(rows.get('few')).toEqual(['1/0', '30002/0'])
  expect(rows.get('')).toEqual(many.map(({ seq }) => `${seq}/0`))
  expect(asked).toContain('few')
  expect(asked.length).toBeLessThan(100)
})

test('a transaction that is there no more when it is gone through again is not taken for a short one', async () => {
  const { headers } = randomTransaction(seededRandom(1), 30_000)
  let isThere = true
  const { read } = reader(headers)
  const nested = new NestedTransaction((...what) => (isThere ? read(...what) : Promise.resolve([])))
  await nested.next(10, 1000)
  isThere = false
  const readAll = async (): Promise<void> => {
    for (let pieces = await nested.next(700, 3000); pieces.length > 0; pieces = await nested.next(700, 3000));
  }
  await expect(readAll()).rejects.toMatchObject({ code: 'ERR_POSITION_LOST' })
})
