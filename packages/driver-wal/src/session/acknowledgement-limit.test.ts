import { expect, test } from 'vitest'
import { parseLimit } from './acknowledgement-limit.ts'

test('what was written down is read again', () => {
  const text = '{"version":1,"session":"0123456789abcdef","timeline":2,"limit":"1/1A2B3C4D"}'
  expect(parseLimit(text)).toEqual({ session: '0123456789abcdef', timeline: 2, limit: 0x1_1a2b_3c4dn })
})

test.each([
  null,
  '',
  'our orders',
  '{}',
  '{"version":2,"session":"a","timeline":1,"limit":"0/1"}',
  '{"version":1,"session":"a","timeline":"1","limit":"0/1"}',
  '{"version":1,"session":"a","timeline":1,"limit":"x"}',
])('somebody else’s text says nothing: %s', (text) => {
  expect(parseLimit(text)).toBeNull()
})
