import type { DeleteEvent, InsertEvent, SignalEvent, TruncateEvent, UpdateEvent } from '@rowtap/core'
import { position } from '@rowtap/core/driver'

const SHARED = {
  id: 'e1',
  schema: 'public',
  table: 'orders',
  unavailable: [],
  derivedFrom: null,
  position: position('p1'),
  // Local time, as lines for a person show it.
  transaction: { id: '731', commitTime: new Date('2026-11-20T09:05:01.070Z') },
} as const

/** An insert into public.orders, in tests. */
export function insertEvent(fields: Partial<InsertEvent>): InsertEvent {
  return { ...SHARED, kind: 'insert', key: {}, new: {}, old: null, changed: null, ...fields }
}

/** An update of public.orders, in tests. */
export function updateEvent(fields: Partial<UpdateEvent>): UpdateEvent {
  return { ...SHARED, kind: 'update', key: {}, new: {}, old: null, changed: null, ...fields }
}

/** A delete from public.orders, in tests. */
export function deleteEvent(fields: Partial<DeleteEvent>): DeleteEvent {
  return { ...SHARED, kind: 'delete', key: {}, new: null, old: {}, changed: null, ...fields }
}

/** A truncate of public.orders, in tests. */
export function truncateEvent(fields: Partial<TruncateEvent>): TruncateEvent {
  return { ...SHARED, kind: 'truncate', key: null, new: null, old: null, changed: null, ...fields }
}

/** A signal that rows of public.orders were inserted, in tests. */
export function signalEvent(fields: Partial<SignalEvent>): SignalEvent {
  return { ...SHARED, kind: 'signal', operation: 'insert', key: null, new: null, old: null, changed: null, ...fields }
}
