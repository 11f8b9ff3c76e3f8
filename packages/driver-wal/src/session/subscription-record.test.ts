import { expect, test } from 'vitest'
import type { SubscriptionRecord } from './subscription-record.ts'
import { parseRecord, recordText } from './subscription-record.ts'

const record: SubscriptionRecord = {
  systemId: '7412345678901234567',
  timeline: 2,
  session: '0123456789abcdef',
  closedAt: 0x1a2b3c4dn,
  publications: [16406, 16407],
  tables: [
    {
      oid: 16401,
      member: 16410,
      kind: 'all',
      schema: 'public',
      name: 'Odd "name"',
      since: 'abcdefgh',
      partitions: [{ oid: 16420, file: 16421, link: '731', schema: 'old', name: 'part' }],
    },
    { oid: 16402, member: 16411, kind: 'inserts', schema: 'public', name: 'u', since: null, partitions: null },
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

test('what an older version has written down says less', () => {
  const older = `{"version":1,"system":"1","session":"a","closed":null,"publications":[1,2],"tables":[[3,4,1,"public","t"]]}`
  expect(parseRecord(older)).toEqual({
    systemId: '1',
    timeline: null,
    session: 'a',
    closedAt: null,
    publications: [1, 2],
    tables: [{ oid: 3, member: 4, kind: 'all', schema: 'public', name: 't', since: null, partitions: null }],
  })
})
