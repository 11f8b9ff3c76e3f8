import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Position } from '../contract/position.ts'
import { position } from '../contract/position.ts'
import type { AcknowledgementEntry } from './acknowledgement-tracker.ts'
import { AcknowledgementTracker } from './acknowledgement-tracker.ts'

function at(index: number): Position {
  return position(String(index).padStart(8, '0'))
}

test('what is done behind a delivery that never is takes no memory for each, and is acknowledged in the end', () => {
  const acknowledged: Position[] = []
  const tracker = new AcknowledgementTracker((one) => acknowledged.push(one))
  const stuck = tracker.add(at(0))
  stuck.pending = 1
  let largest = 0
  for (let index = 1; index <= 100_000; index++) {
    const entry = tracker.add(at(index))
    // Now and then one that takes a while.
    entry.pending = index % 100 === 0 ? 1 : 0
    tracker.settle()
    if (entry.pending > 0) tracker.done(entry)
    largest = Math.max(largest, tracker.size)
  }
  expect(largest).toBeLessThanOrEqual(1024)
  expect([tracker.unfinished, acknowledged]).toEqual([1, []])
  tracker.done(stuck)
  expect(acknowledged).toEqual([at(100_000)])
  expect([tracker.unfinished, tracker.size]).toEqual([0, 0])
})

test('the position is always the highest at and before which everything is done', () => {
  const actions = fc.array(fc.record({ deliveries: fc.nat(2), done: fc.nat(5) }), {
    minLength: 1,
    maxLength: 4000,
    size: 'max',
  })
  fc.assert(
    fc.property(actions, fc.infiniteStream(fc.nat()), (steps, choices) => {
      let last: Position | null = null
      const tracker = new AcknowledgementTracker((one) => {
        if (last !== null) expect(one > last).toBe(true)
        last = one
      })
      const all: AcknowledgementEntry[] = []
      const open: AcknowledgementEntry[] = []
      for (const { deliveries, done } of steps) {
        const entry = tracker.add(at(all.length))
        entry.pending = deliveries
        all.push(entry)
        for (let one = 0; one < deliveries; one++) open.push(entry)
        tracker.settle()
        for (let one = 0; one < done && open.length > 1; one++) {
          const [chosen] = open.splice(1 + ((choices.next().value ?? 0) % (open.length - 1)), 1)
          if (chosen !== undefined) tracker.done(chosen)
        }
      }
      const expected = all.findIndex((entry) => entry.pending > 0)
      const before = all[expected === -1 ? all.length - 1 : expected - 1]
      expect(tracker.acknowledged).toBe(before === undefined ? null : before.last)
      expect(tracker.unfinished).toBe(open.length)
    }),
    { numRuns: 30 },
  )
})
