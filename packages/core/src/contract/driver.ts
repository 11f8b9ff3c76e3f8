import type { Capabilities, Operation } from '../capabilities/capabilities.ts'
import type { Condition } from '../conditions/condition.ts'
import type { NormaliseConstants } from '../conditions/normalise-constants.ts'
import type { SourceHealth } from '../metrics/source-health.ts'
import type { RowtapError } from '../rowtap-error.ts'
import type { ChangeBatch } from './change.ts'
import type { Position } from './position.ts'
import type { Relation } from './relation.ts'
import type { SnapshotSource } from './snapshot-source.ts'
import type { TableName } from './table-name.ts'

export type { Change, ChangeBatch, Transaction } from './change.ts'

/**
 * A way to capture changes. Everything else (validation, conditions, columns, key changes, fan-out,
 * ordering of handlers, acknowledgement) is core's: a driver never checks an argument again.
 */
export interface Driver<C extends Capabilities = Capabilities> {
  /** The version of this contract that the driver is written for. */
  readonly specification: 1
  /** A short name for messages and for the command line: `'wal'`. */
  readonly name: string
  readonly capabilities: C
  /**
   * Connects, and checks what can be checked without a table. No I/O happens before this call, and what it
   * opened is closed again when it throws.
   */
  open(host: DriverHost): Promise<DriverSession>
}

/** What core gives to a driver's session. */
export interface DriverHost {
  /** The durable subscription to go on with; `null` for an ephemeral session. */
  readonly subscription: DurableSubscription | null
  /** Aborted when the client will not wait any longer: give up whatever is pending. */
  readonly signal: AbortSignal
  /**
   * Whether the session is there to plan only: `open` then makes nothing that an ephemeral or durable session needs, and
   * core calls `describe`, `normalise`, `plan` and `close`, and nothing else.
   */
  readonly planOnly: boolean
  /**
   * Whether batches are to hold the logical messages that are written into the source. `false` for a driver whose manifest
   * says `messages.logical: false`.
   */
  readonly messages: boolean
  /** Tells the client's user of something that is not a change. */
  notify(notice: DriverNotice): void
}

/** A subscription that outlives its sessions. One session at a time has it. */
export interface DurableSubscription {
  /** 1 to 40 characters: lower-case letters of ASCII, digits and underscores, the first of them a letter. */
  readonly name: string
  /** Whether to wait, telling so, while another session has it. `false`: the session ends with ERR_SUBSCRIPTION_IN_USE. */
  readonly wait: boolean
  /**
   * What to do where the source no longer has the changes after the acknowledged position.
   *
   * - `'stop'`: the session ends with ERR_POSITION_LOST.
   * - `'restart'`: it begins anew from now on, with a `gap` from the last known position.
   */
  readonly onPositionLost: 'stop' | 'restart'
}

/** Something that a client's user should hear of, and that is not a change. */
export type DriverNotice =
  | {
      /** Changes may have been missed between two positions. */
      readonly kind: 'gap'
      readonly from: Position | null
      readonly to: Position | null
      /** The tables of which changes may have been missed. Left out: it may be any of them. */
      readonly tables?: readonly TableName[]
      readonly reason: string
    }
  | {
      /** The connection was lost, and is being made again. */
      readonly kind: 'reconnect'
      /** `'trying'` at the beginning of each attempt, `'connected'` when one has succeeded. */
      readonly outcome: 'trying' | 'connected'
      /** Which attempt since the connection was lost: the first is 1. */
      readonly attempt: number
      /** Why the connection was lost, or the last attempt failed. */
      readonly cause: RowtapError
    }
  | {
      /** Something that others hold is being waited for. */
      readonly kind: 'wait'
      /** One sentence: what is waited for, and why. */
      readonly reason: string
      /** The server processes that are waited for. */
      readonly processIds: readonly number[]
    }

/** What core wants of one table: the union of its listeners. */
export interface CaptureRequest {
  readonly table: TableName
  readonly operations: ReadonlySet<Operation>
  /**
   * The columns that any listener needs, those of keys and conditions included; `null` for all. Where rows are wanted, nobody
   * wants an update that changes none of them. A driver may deliver more.
   */
  readonly columns: ReadonlySet<string> | null
  /**
   * `false`: no listener of the table wants rows, only to know that there were changes. A driver may deliver changes that
   * are {@link Change.withoutRows}, or rows all the same. When it comes to be left out, changes that commit after `capture`
   * has resolved have rows. Left out: rows are wanted.
   */
  readonly rows?: false
  /**
   * The columns of enumerations, or of what is made of them, whose values conditions compare. In the relation of a
   * change they have the labels that were there when the change was committed, or that are there since:
   * `ColumnTypeBook` looks after that.
   */
  readonly comparedEnums: ReadonlySet<string>
  /**
   * Only rows of which one of these is true are wanted; `null`, or left out: all. It is there for sessions that use it
   * (`usesConditions`). Core tests conditions in any case: a driver may deliver more.
   */
  readonly where?: readonly RequestedCondition[] | null
}

/** A condition that listeners have. */
export interface RequestedCondition {
  /** With its constants as they were written. */
  readonly tree: Condition
  /** The same as a boolean expression on a row of the table, with its constants as PostgreSQL printed them. */
  readonly sql: string
}

/** A table that a durable subscription captured when it last ran. */
export interface ResumedRequest extends CaptureRequest {
  /**
   * What of a listener's wish was not captured, as the object of a sentence: rows or columns. `null`: nothing. Left out: `operations`
   * and `columns` tell all.
   */
  readonly lacking?: (wish: Pick<CaptureRequest, 'columns' | 'where'>) => string | null
}

/** What of one table the database itself leaves out. */
export interface TablePushdown {
  readonly table: TableName
  /** Whether it leaves out rows of which no listener's condition is true. */
  readonly rows: boolean
  /** Whether it leaves out columns that no listener needs. */
  readonly columns: boolean
  /** Why it does not leave out more, as a sentence; `null`: there is nothing to say. */
  readonly why: string | null
}

/** A statement that would be executed. */
export interface PlannedStatement {
  /**
   * Its text, with its parameters as literals, and never with a password. What only the database can tell once it runs
   * stands as `:name`.
   */
  readonly sql: string
  /** What it is for: one sentence. */
  readonly purpose: string
  /** The table that it is about; `null` where it is not about one. */
  readonly table: TableName | null
}

/** One open connection of a driver to its source. Core calls `describe`, `normalise`, `plan` and `capture` one at a time. */
export interface DriverSession {
  /**
   * What the durable subscription captured when it last ran; left out, or empty, for one that is new, and without one.
   * Changes of these tables since the acknowledged position are delivered. Core names each of them in every call of
   * `capture` until a listener has taken its place, or none has come in time.
   */
  readonly resumed?: readonly ResumedRequest[]
  /** Reads tables as they are. Left out by a driver whose manifest says `snapshot.initial: false`, and by a session that is there to plan only. */
  readonly snapshots?: SnapshotSource
  /** The statements that keeping the progress of snapshots executes, again and again; left out where there are none. */
  readonly progressStatements?: readonly PlannedStatement[]
  /**
   * Reads the shape of a table. Changes nothing in the database.
   *
   * @throws RowtapError ERR_SETUP_REQUIRED where the table does not exist or cannot be captured.
   */
  describe(table: TableName): Promise<Relation>
  /** Whether `capture` and `plan` are to be told the listeners' conditions. Left out: no. */
  readonly usesConditions?: boolean
  /**
   * Has PostgreSQL read a condition's constants and print them again, on a connection with `CANONICAL_SETTINGS`:
   * `normaliseConstants(queryRow)` is an implementation. Changes nothing in the database.
   */
  readonly normalise: NormaliseConstants
  /**
   * The statements that `capture` would run for exactly this set, in their order, as things are now: all that change
   * something in the database, lock something in it, or ask it for something from then on. Those that only read, or
   * choose settings of the session's own, are left out. In a session that is there to plan only, those that `open`
   * would have run are the first.
   *
   * Runs none of them, and changes nothing.
   *
   * @throws RowtapError what `capture` would throw before its first statement.
   */
  plan(requests: readonly CaptureRequest[]): Promise<readonly PlannedStatement[]>
  /** What the database itself would leave out of tables of this set. Left out: nothing. Changes nothing in the database. */
  pushdown?(requests: readonly CaptureRequest[]): Promise<readonly TablePushdown[]>
  /**
   * Captures exactly these tables from now on: each call states the whole set again. Tables that stay are not
   * disturbed. A table that is new is live when the promise resolves: every change of it that commits later is
   * delivered. When the promise rejects, what was captured before the call still is.
   *
   * @returns the position at which the set is live. A listener that the call was for is not shown what has a smaller or
   *   equal position, nor what is yielded before the promise resolves. So every change of either kind must be visible
   *   to a SELECT by then.
   */
  capture(requests: readonly CaptureRequest[]): Promise<Position>
  /**
   * The changes, in the order that the manifest promises. Called once. Core takes a batch only when it has room
   * for it: a driver reads ahead of that by a bounded amount.
   *
   * The iteration ends when the session is closed, and throws when the source is lost for good.
   */
  batches(): AsyncIterable<ChangeBatch>
  /**
   * Resolves when every change that was yielded before the call can be seen by whoever reads the table then. Called at any
   * time, without regard to other calls, and waits for none of them, nor for the stream. Left out: that is so when a change
   * is yielded.
   */
  untilVisible?(): Promise<void>
  /** How the source keeps what is still to be read, as it was last looked at: at once, without asking. `null` where that is not known; left out where there is nothing to know. */
  health?(): SourceHealth | null
  /** Every change with a position up to and including this one is handled, or was not wanted. Must return at once; may be deferred and combined. */
  acknowledge(position: Position): void
  /** Delivers the last acknowledgement to the source, removes what was ephemeral and disconnects. May be called more than once. */
  close(): Promise<void>
}
