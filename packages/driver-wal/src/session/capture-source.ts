import type { DriverHost, PlannedStatement, Position, RowtapError } from '@rowtap/core/driver'
import type { ControlConnection } from '../connection/control-connection.ts'
import type { CaptureName } from '../publication/capture-name.ts'
import type { CoverageMemory, UncoveredReason } from '../publication/coverage.ts'
import type { KnownPartition } from '../publication/partition.ts'
import type { Published } from '../publication/publication-plan.ts'
import type { InFlight } from '../replication/in-flight.ts'
import type { Lsn } from '../replication/lsn.ts'
import type { AcknowledgementLimit } from './acknowledgement-limit.ts'
import type { ReplicationConnection } from '../replication/replication-connection.ts'
import type { TimelineHistory } from '../replication/timeline-history.ts'

/** What became of a session's last pair of connections. */
export interface FormerConnections {
  readonly name: CaptureName
  /** How far it came. */
  readonly inFlight: InFlight
  /** The last position that anybody was told of; `null`: none. */
  readonly last: Position | null
  /** Whether anything was to come from it: changes of tables, or messages. */
  readonly isCapturing: boolean
  /** Why it was lost. */
  readonly cause: RowtapError
}

/** A pair of connections that are made and checked, and what they are for. */
export interface Connections {
  readonly control: ControlConnection
  readonly replication: ReplicationConnection
  /** `server_version_num` */
  readonly version: number
  readonly host: DriverHost
  /** Whose log it is. */
  readonly history: TimelineHistory
  /** The pair that this one replaces; `null` for a session's first. */
  readonly former: FormerConnections | null
  /** Processes of the server that the session's control connections talked to. They may not have noticed their end yet. */
  readonly processIds: ReadonlySet<number>
}

/** What is missing before a stream begins. */
export interface SourceGap {
  readonly from: Position | null
  readonly to: Position | null
  readonly reason: string
}

/** Publications and a slot that a stream can be started with. */
export interface PreparedSource {
  readonly name: CaptureName
  /** Everything before this place is handled. */
  readonly start: Lsn
  /** The tables whose changes come from there on. */
  readonly tables: readonly Published[]
  readonly gap: SourceGap | null
  /** Why changes of single tables are missing. */
  readonly uncovered: readonly UncoveredReason[]
  /** The tables of which nothing was missed, by their object ids, and since when they are covered without a break. */
  readonly since: ReadonlyMap<number, string | null>
  /** What was below the tables when that was compared with what was known before, by their object ids. */
  readonly partitions: ReadonlyMap<number, readonly KnownPartition[]>
  /** Up to where may be acknowledged; `null`: as far as everything is handled. */
  readonly limit: AcknowledgementLimit | null
}

/** What the publications and the slot of a session are: its own and gone with it, or a subscription's. */
export interface CaptureSource {
  /** Whether a stream goes on where the one before it ended. */
  readonly isDurable: boolean
  /**
   * Waits until this process may read, while it has one connection and no more. Left out: it may.
   *
   * @throws RowtapError, or the error of `pg`.
   */
  claim?(connections: Pick<Connections, 'control' | 'version' | 'processIds'>): Promise<void>
  /**
   * Makes or finds the publications and the slot. What it made is removed again when it fails.
   *
   * @throws RowtapError, or the error of `pg`.
   */
  prepare(connections: Connections): Promise<PreparedSource>
  /** Where what is captured is written down for the next session; left out: nowhere. */
  memory?(control: ControlConnection, name: CaptureName): CoverageMemory
  /** Removes what is not to outlive the session, once the stream has ended. The error of a failure is `pg`'s. */
  release(control: ControlConnection, name: CaptureName): Promise<void>
  /** The names, and the statements that {@link prepare} would run as things are now. The error of a failure is `pg`'s. */
  plan(
    control: ControlConnection,
    version: number,
  ): Promise<{ readonly name: CaptureName; readonly statements: readonly PlannedStatement[] }>
}
