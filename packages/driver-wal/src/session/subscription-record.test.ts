import { expect, test } from 'vitest'
import type { SubscriptionRecord } from './subscription-record.ts'
import { parseRecord, recordText } from './subscription-record.ts'

const record: SubscriptionRecord = {
  systemId: '7412345678901234567',
  session: '0123456789abcdef',
  closedAt: 0x1a2b3c4dn,
  publications: [16406, 16407],
  tables: [
    { oid: 16401, member: 16410, kind: 'all', schema: 'public', name: 'Odd "name"' },
    { oid: 16402, member: 16411, kind: 'inserts', schema: 'public', name: 'u' },
  ],
}

test('what is written down is read again', () => {
  expect(parseRecord(recordText(record))).toEqual(record)
  expect(parseRecord(recordText({ ...record, closedAt: null, tables: [] }))).toEqual({
    ...record,
    closedAt: null,
    tables: [],
  })
})

test.each([
  null,
  '',
  'our orders',
  '{}',
  '{"version":2,"system":"1","publications":[],"tables":[]}',
  '{"version":1,"system":"1","publications":[],"tables":[1]}',
  '{"version":1,"system":"1","publications":[],"tables":[],"closed":"x"}',
])('somebody else’s text says nothing: %s', (text) => {
  expect(parseRecord(text)).toBeNull()
})
