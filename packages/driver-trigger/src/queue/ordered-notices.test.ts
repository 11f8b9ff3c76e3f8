import type { DriverNotice } from '@rowtap/core/driver'
import { position } from '@rowtap/core/driver'
import { expect, test } from 'vitest'
import { orderedNotices } from './ordered-notices.ts'

function gap(reason: string): DriverNotice {
  return { kind: 'gap', from: null, to: null, reason }
}

test('a notice waits until what was read before it is handled, and no longer', () => {
  const told: string[] = []
  const notices = orderedNotices((notice) => told.push('reason' in notice ? notice.reason : notice.kind))
  notices.notify(gap('first'))
  expect(told).toEqual(['first'])
  notices.read(position('a'))
  notices.read(position('b'))
  notices.notify(gap('after b'))
  notices.read(position('c'))
  notices.notify(gap('after c'))
  notices.acknowledge(position('a'))
  expect(told).toEqual(['first'])
  notices.acknowledge(position('b'))
  expect(told).toEqual(['first', 'after b'])
  notices.acknowledge(position('c'))
  notices.notify(gap('at once'))
  expect(told).toEqual(['first', 'after b', 'after c', 'at once'])
})
