import type { ChangeEvent, Listener } from '@rowtap/core'
import assert from 'node:assert/strict'
import { describeEvent } from './describe-event.ts'

/** Every event of a listener, and ways to wait for one. */
export interface Collector {
  readonly listener: Listener
  /** What has come so far, in order. */
  readonly events: readonly ChangeEvent[]
  /** The first event, past or to come, for which the predicate holds. `what` says in a failure what was waited for. */
  until(predicate: (event: ChangeEvent) => boolean, what: string): Promise<ChangeEvent>
  /** Waits until so many events have come, and returns what has come. */
  count(wanted: number, what: string): Promise<readonly ChangeEvent[]>
  /** Forgets what has come. */
  clear(): void
}

/** How a collector waits. */
export interface CollectorOptions {
  /** What ends every waiting: rejects when the client fails. */
  readonly failure?: Promise<never>
  /** How long to wait for an event, in milliseconds, before it counts as lost. Default: 20,000. */
  readonly timeoutMs?: number
}

/** Collects a listener's events from now on. */
export function collect(listener: Listener, options: CollectorOptions = {}): Collector {
  const { failure, timeoutMs = 20_000 } = options
  const events: ChangeEvent[] = []
  const watchers = new Set<(event: ChangeEvent) => void>()
  listener.on('change', (event) => {
    events.push(event)
    for (const watcher of watchers) watcher(event)
  })

  /** Resolves with what `check` finds, which is asked for each event that comes. */
  async function watch<T>(check: (event: ChangeEvent) => T | undefined, what: string): Promise<T> {
    const found = Promise.withResolvers<T>()
    const watcher = (event: ChangeEvent): void => {
      const result = check(event)
      if (result !== undefined) found.resolve(result)
    }
    watchers.add(watcher)
    const timer = setTimeout(() => found.reject(missing(what, events, timeoutMs)), timeoutMs)
    try {
      return await Promise.race(failure === undefined ? [found.promise] : [found.promise, failure])
    } finally {
      clearTimeout(timer)
      watchers.delete(watcher)
    }
  }

  return {
    listener,
    events,
    async until(predicate, what) {
      return events.find(predicate) ?? watch((event) => (predicate(event) ? event : undefined), what)
    },
    async count(wanted, what) {
      if (events.length < wanted)
        await watch(() => (events.length >= wanted ? true : undefined), `${wanted} events: ${what}`)
      return events
    },
    clear() {
      events.length = 0
    },
  }
}

function missing(what: string, events: readonly ChangeEvent[], timeoutMs: number): assert.AssertionError {
  const last = events.slice(-3).map(describeEvent)
  const came = events.length === 0 ? 'no event came' : `${events.length} events came, at last ${last.join(', ')}`
  return new assert.AssertionError({ message: `lost: waited ${timeoutMs / 1000} s for ${what}; ${came}` })
}
