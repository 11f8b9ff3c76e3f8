import { position } from '@rowtap/core/driver'
import { expect, test } from 'vitest'

import { insertEvent } from '../testing/events.ts'
import type { Placed } from './ordered-events.ts'
import { OrderedEvents } from './ordered-events.ts'

/** A listener: gives its events one after the other, each when the one before it is done. */
async function listener(places: readonly string[], ordered: OrderedEvents<Placed>): Promise<void> {
  for (const place of places) await ordered.add(insertEvent({ position: position(place) }))
}

test('events of several listeners come in the order of the stream', async () => {
  const written: string[] = []
  const ordered = new OrderedEvents<Placed>((event) => {
    written.push(event.position)
    return undefined
  })
  await Promise.all([
    listener(['1', '4', '5', '6'], ordered),
    listener(['2', '3', '8'], ordered),
    listener(['7'], ordered),
  ])
  expect(written).toEqual(['1', '2', '3', '4', '5', '6', '7', '8'])
})

test('an event is not given back before it is written', async () => {
  const room = Promise.withResolvers<void>()
  const ordered = new OrderedEvents<Placed>(() => room.promise)
  let isDone = false
  const done = ordered.add(insertEvent({})).then(() => (isDone = true))
  await new Promise((resolve) => setImmediate(resolve))
  expect(isDone).toBe(false)
  room.resolve()
  await done
  expect(isDone).toBe(true)
})

test('a failure to write is given back to the event that it belongs to, and the next one is written', async () => {
  let calls = 0
  const ordered = new OrderedEvents<Placed>(() => {
    calls += 1
    return calls === 1 ? Promise.reject(new Error('disk full')) : undefined
  })
  await expect(ordered.add(insertEvent({}))).rejects.toThrow('disk full')
  await ordered.add(insertEvent({}))
})
