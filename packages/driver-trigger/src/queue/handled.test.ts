import { position } from '@rowtap/core/driver'
import { expect, test } from 'vitest'
import { handled } from './handled.ts'
import { parseSnapshot } from './snapshot.ts'

const [start, one, two, three] = ['1:1:', '2:2:', '3:3:', '4:4:'].map(parseSnapshot)
const [a, b] = [position('a'), position('b')]

test('the place moves when a whole tick is handled, and not before', () => {
  if (start === undefined || one === undefined || two === undefined) throw new Error('three snapshots')
  const progress = handled(start)
  progress.acknowledge(a)
  expect(progress.place()).toBe(start)
  progress.delivered(one, a)
  expect(progress.place()).toBe(one)
  progress.delivered(two, b)
  expect(progress.place()).toBe(one)
  progress.acknowledge(b)
  expect(progress.place()).toBe(two)
})

test('a tick without changes of ours passes when everything before it has', () => {
  if (start === undefined || one === undefined || two === undefined || three === undefined) throw new Error('four')
  const progress = handled(start)
  progress.delivered(one, a)
  progress.delivered(two, null)
  progress.nothingUntil(three)
  expect(progress.place()).toBe(start)
  progress.acknowledge(a)
  expect(progress.place()).toBe(two)
  progress.nothingUntil(three)
  expect(progress.place()).toBe(three)
})

test('what was delivered beyond a place that the database knows counts when it is handled', () => {
  if (start === undefined || one === undefined || two === undefined || three === undefined) throw new Error('four')
  const progress = handled(start)
  progress.delivered(one, a)
  progress.delivered(two, b)
  progress.resume(start)
  // One that is read again changes nothing.
  progress.delivered(two, b)
  progress.acknowledge(a)
  expect(progress.place()).toBe(one)
  progress.acknowledge(b)
  expect(progress.place()).toBe(two)
  progress.nothingUntil(three)
  progress.resume(two)
  expect(progress.place()).toBe(two)
  expect(progress.acknowledged()).toBe(b)
})

test('what was handled in an earlier session needs no acknowledgement', () => {
  if (start === undefined || one === undefined) throw new Error('two')
  const progress = handled(start, a)
  progress.delivered(one, a)
  expect(progress.place()).toBe(one)
})
