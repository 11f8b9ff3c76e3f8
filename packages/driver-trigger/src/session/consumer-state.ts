import type { CaptureRequest, DriverNotice, Position, TableName } from '@rowtap/core/driver'
import { position } from '@rowtap/core/driver'
import type { ShapeContent } from '../catalog/shape.ts'
import type { WatchMemory } from '../install/capture-watch.ts'
import type { RefusalNotices } from '../install/refusal-notices.ts'
import { refusalNotices } from '../install/refusal-notices.ts'
import type { Registration } from '../install/install.ts'
import type { CapturedPart } from '../install/captured-part.ts'
import type { Handled } from '../queue/handled.ts'
import { handled } from '../queue/handled.ts'
import type { OrderedNotices } from '../queue/ordered-notices.ts'
import { orderedNotices } from '../queue/ordered-notices.ts'
import type { Snapshot } from '../queue/snapshot.ts'
import { inEra, parseSnapshot } from '../queue/snapshot.ts'

/** A notice of changes that may have been missed. */
export type GapNotice = Extract<DriverNotice, { readonly kind: 'gap' }>

/** What is known of a session's consumer, whichever connections it has. */
export interface ConsumerState {
  registration: Registration
  /** How far everything is handled. */
  progress: Handled
  /** What is captured, by the table's object id. */
  wanted: ReadonlyMap<string, TableName>
  /** Which part of them is wanted: all, where it does not say. */
  parts: ReadonlyMap<string, CapturedPart>
  /** What every transaction is captured for on behalf of this consumer, where that is known. */
  readonly inForce: Map<string, CapturedPart>
  /** The shapes of tables as they were when core asked for them last. */
  readonly contents: Map<string, ShapeContent>
  /** The parts that the subscription captured when it last ran. */
  readonly kept: Map<string, CapturedPart>
  /** Every name that a change may still have to be delivered under. */
  readonly names: Map<string, TableName>
  /** Captured tables whose triggers may have gone while nobody ran. */
  readonly unchecked: Set<string>
  /** What core has asked for last. */
  requests: readonly CaptureRequest[]
  /** The last change that was given to core. */
  delivered: Position | null
  /** The last place where the changes were divided, as far as that was noted in the database. */
  divided: Snapshot | null
  /** What is missing before the next change, until it is told. */
  gap: GapNotice | null
  readonly notices: OrderedNotices
  readonly memory: WatchMemory
  /** What PostgreSQL refuses to have removed or made anew, and was told of. */
  readonly refusals: RefusalNotices
}

/** A consumer that has just been registered, or goes on. */
export function consumerState(registration: Registration, notify: (notice: DriverNotice) => void): ConsumerState {
  const acknowledged = registration.acknowledged === null ? null : position(registration.acknowledged)
  return {
    registration,
    progress: handled(placeOf(registration), acknowledged),
    wanted: new Map(),
    parts: new Map(),
    inForce: new Map(),
    contents: new Map(),
    kept: new Map(),
    names: new Map(),
    unchecked: new Set(),
    requests: [],
    delivered: acknowledged,
    divided: null,
    gap: null,
    notices: orderedNotices(notify),
    refusals: refusalNotices(notify),
    memory: { told: new Set(), versions: new Map(Object.entries(registration.triggers ?? {})) },
  }
}

/** The snapshot in which everything is handled that is visible. */
export function placeOf({ place, era }: Registration): Snapshot {
  return inEra(parseSnapshot(place), era)
}
