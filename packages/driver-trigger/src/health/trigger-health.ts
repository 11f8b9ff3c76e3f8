import type { TableName } from '@rowtap/core/driver'

/** The server, as far as the driver depends on it. */
export interface TriggerServerHealth {
  /** As `server_version_num` has it: 180004. */
  readonly version: number
  /** As people write it: `18.4`. */
  readonly versionName: string
  readonly isStandby: boolean
  /** Whether transactions can be prepared: then writers do not wake an idle reader, which looks by itself. */
  readonly hasPreparedTransactions: boolean
}

/** What the role that connected may do. */
export interface TriggerRoleHealth {
  readonly name: string
  /** Whether it may make the queue's schema in this database. */
  readonly mayCreate: boolean
}

/** What is in a queue. */
export interface QueueHealth {
  /** How many changes; no more than a million are counted. */
  readonly rows: number
  /** Whether there are more than were counted. */
  readonly hasMore: boolean
  /** On the disk, indexes and large values included. It shrinks by one of three tables at a time, when everything in it is handled. */
  readonly bytes: number
  /** How many transactions ago the oldest change was made; `null` where the queue is empty. */
  readonly oldestTransactionsAgo: number | null
  /** When it was committed; `null` where the server does not record it (`track_commit_timestamp`). */
  readonly oldestCommitted: Date | null
}

/** One reader of a queue. */
export interface ConsumerHealth {
  readonly id: string
  /** Its subscription; `null` for a client without one. */
  readonly subscription: string | null
  /** The server process that it last spoke to. */
  readonly processId: number
  /** Whether that process is still there, as far as the role may see it. */
  readonly isAlive: boolean
  readonly createdAt: Date
  /** Until when the queue keeps changes for it; `null` for a subscription, for which it always does. */
  readonly leaseUntil: Date | null
  readonly isExpired: boolean
  /** How many tables it wants. */
  readonly tables: number
  /**
   * How many changes of the queue, of whichever table, were written after its place; no more than a million are counted. Of a
   * subscription without those that it has acknowledged.
   */
  readonly behind: number
  /** Since when other clients have noticed that nobody reads the subscription; `null`: they have not. */
  readonly goneSince: Date | null
  /** Why the queue has let go of the subscription's changes, in words; `null`: it has not. */
  readonly dropped: string | null
}

/** Why changes of a table, or of one of its partitions, are not captured. */
export interface TriggerFault {
  /** The table or partition. */
  readonly table: TableName
  /** Which changes are missed: those of rows, all or one kind of them, or the emptying of the table. */
  readonly changes: 'rows' | 'inserts' | 'updates' | 'deletes' | 'truncate'
  readonly fault: 'missing' | 'disabled'
  /** The statement that mends it; `null` where the next start of a client does. */
  readonly statement: string | null
}

/** A table that some reader wants. */
export interface CapturedTableHealth extends TableName {
  readonly faults: readonly TriggerFault[]
  /** Whether it, or a partition, has row-level security: captured rows are not subject to it. */
  readonly hasRowSecurity: boolean
}

/** A trigger of ours on a table that no reader wants. */
export interface AbandonedTrigger {
  readonly name: string
  readonly table: TableName
  /** The statement that removes it. */
  readonly statement: string
}

/** One queue and what belongs to it. */
export interface TriggerInstallation {
  readonly schema: string
  /** The role that owns the schema. */
  readonly owner: string
  /** What could be read of it; `null` where it belongs to a role whose code would run as the one that connected. */
  readonly content: InstallationContent | null
}

/** What is in an installation. */
export interface InstallationContent {
  /** The number of the last migration that was applied; 0 for a schema without a queue. */
  readonly version: number
  /**
   * What of the queue somebody has dropped, with what helps, in the driver's own words; `null` where it is whole. Where a table is
   * gone, nothing else is told of it.
   */
  readonly lack: string | null
  readonly queue: QueueHealth
  readonly consumers: readonly ConsumerHealth[]
  readonly captured: readonly CapturedTableHealth[]
  readonly abandoned: readonly AbandonedTrigger[]
}

/** A table that was asked for. */
export interface TriggerTableHealth extends TableName {
  /** Why it cannot be captured, with what helps, in the driver's own words; `null` where it can. */
  readonly obstacle: string | null
  readonly primaryKey: readonly string[]
  /** Whether it, or a partition, has row-level security: captured rows are not subject to it. */
  readonly hasRowSecurity: boolean
}

/** Everything that can be told about capturing one database with triggers: plain data. */
export interface TriggerHealth {
  readonly takenAt: Date
  readonly database: string
  readonly server: TriggerServerHealth
  readonly role: TriggerRoleHealth
  /** Why the queue cannot be made, or used, in the schema that was asked for, with what helps; `null` where it can. */
  readonly obstacle: string | null
  /** The number of the last migration that this version of the driver knows. */
  readonly latestVersion: number
  /** Every queue in this database, of whichever schema. */
  readonly installations: readonly TriggerInstallation[]
  readonly tables: readonly TriggerTableHealth[]
  /** What the role could not see, a sentence each. */
  readonly unseen: readonly string[]
}
