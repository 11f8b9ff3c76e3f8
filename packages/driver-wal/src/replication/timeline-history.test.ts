import { describe, expect, test } from 'vitest'
import { parseTimelineHistory, TimelineHistory } from './timeline-history.ts'
import { halvesOf } from './lsn.ts'
import { positionBefore } from './wal-position.ts'

const END = 1000n

/** A server that took over at these places, one after another. */
function server(...switches: readonly bigint[]): TimelineHistory {
  return new TimelineHistory({
    systemId: 'one',
    timeline: switches.length + 1,
    end: END,
    ancestors: switches.map((end, index) => ({ timeline: index + 1, end })),
  })
}

/** Where the log of a server parted from that of another one, of which a session has seen a change at a place. */
function follow(before: TimelineHistory, place: bigint, server: TimelineHistory): bigint | null {
  const last = positionBefore(place + 1n, before)
  const now = server.after(before, place)
  const parted = now.partedFrom(before, last)
  // Whatever happened, what comes next is later.
  if (parted !== null) expect(now.positionAt(parted) > last).toBe(true)
  expect(positionBefore(END, now) > last).toBe(true)
  return parted
}

describe('a session that is connected to another server', () => {
  test.each([
    ['the same', server(), 100n, server(), null],
    ['a standby that had everything', server(), 100n, server(101n), null],
    ['a standby that had everything but the last byte', server(), 100n, server(100n), 100n],
    ['a standby that was far behind', server(), 100n, server(20n), 20n],
    ['the next standby', server(90n), 100n, server(90n, 120n), null],
    ['the next standby, which was behind', server(90n), 100n, server(90n, 95n), 95n],
    ['a standby that took over at another place', server(90n), 100n, server(80n), 80n],
    ['a standby that another one took over from', server(90n), 100n, server(80n, 85n), 80n],
    ['the former primary, which went on by itself', server(90n), 100n, server(), 90n],
    ['the former primary, of what both have', server(90n), 50n, server(), null],
  ])('%s', (_, before, place, now, parted) => {
    expect(follow(before, place, now)).toBe(parted)
  })

  test('one of another system', () => {
    const other = new TimelineHistory({ systemId: 'other', timeline: 1, end: END, ancestors: [] })
    expect(follow(server(), 100n, other)).toBe(0n)
  })

  test('the same, restored to an earlier time', () => {
    const restored = new TimelineHistory({ systemId: 'one', timeline: 1, end: 60n, ancestors: [] })
    expect(follow(server(), 100n, restored)).toBe(60n)
  })

  test('one that does not know what it came of', () => {
    const now = new TimelineHistory({ systemId: 'one', timeline: 2, end: END, ancestors: null })
    expect(follow(server(), 100n, now)).toBe(0n)
  })

  test('again and again', () => {
    const other = new TimelineHistory({ systemId: 'other', timeline: 1, end: END, ancestors: [] })
    const last = positionBefore(101n, server())
    const second = other.after(server(), 100n)
    const later = positionBefore(50n, second)
    expect(later > last).toBe(true)
    const third = server().after(second, 50n)
    expect(positionBefore(10n, third) > later).toBe(true)
  })
})

test('places of a server that never took over are as they are', () => {
  expect(server().prefixAt(100n)).toBe('')
})

test('places are of the timeline that wrote them', () => {
  const history = server(90n, 120n)
  expect([89n, 90n, 119n, 120n].map((place) => history.prefixAt(place))).toEqual([
    '',
    't00000002/',
    't00000002/',
    't00000003/',
  ])
})

test('a history file is read line by line', () => {
  expect(parseTimelineHistory('1\t0/5A\tno recovery target specified\n\n2\t1/0000000A\tbefore "x"\n')).toEqual([
    { timeline: 1, end: 0x5an },
    { timeline: 2, end: 0x10000000an },
  ])
})

test('a place has the same prefix by its halves', () => {
  for (const history of [server(), server(90n), server(90n, 2n ** 33n)]) {
    for (const place of [0n, 89n, 90n, 2n ** 32n, 2n ** 33n - 1n, 2n ** 33n, 2n ** 63n]) {
      const [high, low] = halvesOf(place)
      expect(history.prefixAtHalves(high, low)).toBe(history.prefixAt(place))
    }
  }
})
