import { RowtapError } from '@rowtap/core/driver'
import { expect, test } from 'vitest'
import { durableName } from '../publication/durable-name.ts'
import type { DurablePublications } from '../publication/durable-publications.ts'
import { InFlight } from '../replication/in-flight.ts'
import { TimelineHistory } from '../replication/timeline-history.ts'
import type { FormerConnections } from './capture-source.ts'
import { positionLostReason } from './position-lost.ts'

const GONE: DurablePublications = { missing: ['all', 'inserts'], tables: [] }

function server(systemId: string, timeline: number = 1): TimelineHistory {
  return new TimelineHistory({ systemId, timeline, end: 1n, ancestors: [] })
}

function former(history: TimelineHistory, isCapturing: boolean = true): FormerConnections {
  return {
    name: durableName('billing', 1),
    inFlight: new InFlight(0n, history),
    last: null,
    isCapturing,
    cause: new RowtapError('ERR_CONNECTION_LOST', { message: 'lost' }),
  }
}

test('without a slot and publications a subscription begins, unless this process captured something before', () => {
  const history = server('1')
  const reason = (before: FormerConnections | null): string | null =>
    positionLostReason(null, GONE, { history, former: before, record: null })
  expect(reason(null)).toBe(null)
  expect(reason(former(history, false))).toBe(null)
  expect(reason(former(history))).toBe('its replication slot and publications were dropped.')
})

test.each([
  [GONE.missing, 'its replication slot and publications were dropped.'],
  [['all'] as const, 'its replication slot and one of its publications were dropped.'],
  [[], 'its replication slot was dropped.'],
])('what was dropped is named: with %j missing', (missing, reason) => {
  const history = server('1')
  expect(positionLostReason(null, { missing, tables: [] }, { history, former: former(history), record: null })).toBe(
    reason,
  )
})

test.each([1, 2])('that the server is another one is no dropping, whatever its timeline: %i', (timeline) => {
  const surroundings = { history: server('2', timeline), former: former(server('1')), record: null }
  expect(positionLostReason(null, GONE, surroundings)).toContain('is not on this server')
})
