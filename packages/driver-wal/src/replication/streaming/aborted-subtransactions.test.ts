import fc from 'fast-check'
import { expect, test } from 'vitest'
import { AbortedSubtransactions } from './aborted-subtransactions.ts'

test('knows exactly those that were added, in whatever order', () => {
  const xid = fc.oneof(fc.nat(50), fc.nat(0xffffffff))
  fc.assert(
    fc.property(fc.array(xid), fc.array(xid), (added, asked) => {
      const aborted = new AbortedSubtransactions()
      for (const [index, one] of added.entries()) {
        aborted.add(one)
        if (index % 3 === 0) expect(aborted.has(one)).toBe(true)
      }
      for (const one of [...added, ...asked]) expect(aborted.has(one)).toBe(added.includes(one))
    }),
  )
})
