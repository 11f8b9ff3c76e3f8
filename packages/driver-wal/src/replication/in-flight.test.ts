import { position } from '@rowtap/core/driver'
import { expect, test } from 'vitest'
import { InFlight } from './in-flight.ts'

test('moves to the end of each transaction whose last change is acknowledged, and no further', () => {
  const inFlight = new InFlight(100n)
  inFlight.begin()
  inFlight.commit(200n, position('a/2'))
  inFlight.begin()
  inFlight.commit(300n, position('b/0'))
  inFlight.begin()
  expect(inFlight.flushed).toBe(100n)
  inFlight.acknowledge(position('a/1'))
  expect(inFlight.flushed).toBe(100n)
  inFlight.acknowledge(position('a/2'))
  expect(inFlight.flushed).toBe(200n)
  inFlight.acknowledge(position('b/0'))
  expect(inFlight.flushed).toBe(300n)
})

test('follows keepalives while nothing is in flight', () => {
  const inFlight = new InFlight(100n)
  inFlight.keepalive(150n)
  expect(inFlight.flushed).toBe(150n)
  inFlight.begin()
  inFlight.keepalive(160n)
  expect(inFlight.flushed).toBe(150n)
  inFlight.commit(200n, position('a/0'))
  inFlight.keepalive(250n)
  expect(inFlight).toMatchObject({ flushed: 150n, received: 250n })
  inFlight.acknowledge(position('a/0'))
  expect(inFlight.flushed).toBe(250n)
})

test('a transaction without changes of interest is not waited for', () => {
  const inFlight = new InFlight()
  inFlight.begin()
  inFlight.commit(10n, position('a/0'))
  inFlight.begin()
  inFlight.commit(20n, null)
  expect(inFlight.flushed).toBe(0n)
  inFlight.acknowledge(position('a/0'))
  expect(inFlight.flushed).toBe(20n)
  inFlight.begin()
  inFlight.commit(30n, null)
  expect(inFlight.flushed).toBe(30n)
})

test('a transaction whose last change is acknowledged before its end arrives is done with it', () => {
  const inFlight = new InFlight()
  inFlight.begin()
  inFlight.acknowledge(position('a/5'))
  inFlight.keepalive(50n)
  expect(inFlight.flushed).toBe(0n)
  inFlight.commit(60n, position('a/5'))
  expect(inFlight.flushed).toBe(60n)
})
