import type { DriverNotice } from '@rowtap/core/driver'
import { position } from '@rowtap/core/driver'
import { describe, expect, test } from 'vitest'
import { partitionTruncations } from './partition-truncations.ts'

/** The tables that a gap is told of, for transactions of `operation root` marks. */
function gaps(...transactions: readonly string[]): string[] {
  const notices: DriverNotice[] = []
  const truncations = partitionTruncations(
    (root) => ({ schema: 'public', name: root }),
    (notice) => notices.push(notice),
  )
  for (const [index, marks] of transactions.entries()) {
    const transaction = { id: String(index), commitTime: null }
    for (const mark of marks.split(', ')) {
      const [operation = '', root = ''] = mark.split(' ')
      truncations.see(operation, root, transaction, position('p'))
    }
  }
  truncations.end()
  return notices.map((notice) => (notice.kind === 'gap' ? (/public\.\w+/u.exec(notice.reason)?.[0] ?? '') : ''))
}

describe('a partition that is truncated', () => {
  test.each([
    ['on its own is a gap', ['P a'], ['public.a']],
    ['with another one is one gap', ['P a, P a'], ['public.a']],
    ['after a row is a gap', ['I a, P a'], ['public.a']],
    ['before a row is a gap', ['P a, I a'], ['public.a']],
    ['with its table is none', ['T a, P a, P a'], []],
    ['with its table, and named first, is none', ['P a, T a, P a'], []],
    ['with another table is a gap', ['T b, P a, P b'], ['public.a']],
    ['after its table was filled again is a gap', ['T a, P a, I a, P a'], ['public.a']],
    ['in the next transaction is a gap', ['T a', 'P a'], ['public.a']],
  ])('%s', (_, transactions, expected) => {
    expect(gaps(...transactions)).toEqual(expected)
  })
})
