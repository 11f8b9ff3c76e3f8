import type { TableName } from '@rowtap/core/driver'
import type { WalOwner } from './owned-name.ts'

/** A service that runs servers for others, where settings and privileges are its own. */
export type ManagedService = 'Amazon RDS' | 'Google Cloud SQL' | 'Azure' | 'Neon' | 'Supabase'

/** Settings of the server, and what is in use of them. */
export interface WalServerHealth {
  /** As `server_version_num` has it: 180004. */
  readonly version: number
  /** As people write it: `18.4`. */
  readonly versionName: string
  readonly walLevel: string
  readonly isStandby: boolean
  /** The setting `synchronous_standby_names`: whom commits wait for. */
  readonly synchronousStandbyNames: string
  /** Whether that takes whoever reads changes for a standby: commits would wait for handlers, and no client starts. */
  readonly countsReadersAsStandbys: boolean
  /** The service that runs the server, by the roles that it makes; `null` where none is known. */
  readonly managedBy: ManagedService | null
  readonly maxReplicationSlots: number
  /** Slots of the whole server, whoever made them. */
  readonly usedReplicationSlots: number
  readonly maxWalSenders: number
  readonly usedWalSenders: number
  /** How much of the log a slot may hold before it is invalidated; `null`: without a limit. */
  readonly maxSlotWalKeepBytes: number | null
  /** After how long without a reader a slot is invalidated; `null`: never, as before version 18. */
  readonly idleSlotTimeoutMs: number | null
  /** After how long without a sign of life a reader is disconnected; `null`: never. */
  readonly walSenderTimeoutMs: number | null
}

/** What the role that connected may do. */
export interface WalRoleHealth {
  readonly name: string
  readonly isSuperuser: boolean
  /** By its attribute, or by a role of a managed service that stands for it. */
  readonly mayReplicate: boolean
  /** Whether it may make publications in this database. */
  readonly mayCreate: boolean
  /** The roles of managed services that it is a member of: `rds_replication`, `cloudsqlsuperuser`, … */
  readonly managedRoles: readonly string[]
}

/** The write-ahead log itself. */
export interface WalLogHealth {
  /** Its end, in PostgreSQL's notation; `null` where it cannot be told. */
  readonly lsn: string | null
  /** How fast it grew between the two looks; `null` where there was only one. */
  readonly bytesPerSecond: number | null
  /** How far apart the two looks were. */
  readonly sampleMs: number
  /** What the server's directory of it holds, of all databases; `null` where the role may not see it. */
  readonly directoryBytes: number | null
}

/** What `pg_replication_slots.wal_status` says. */
export type WalStatus = 'reserved' | 'extended' | 'unreserved' | 'lost'

/** One replication slot of ours, of whichever database. */
export interface WalSlotHealth {
  readonly name: string
  readonly owner: WalOwner
  readonly database: string
  /** Whether it is one of the database that is connected to. */
  readonly isHere: boolean
  readonly isTemporary: boolean
  readonly isActive: boolean
  /** The server process that reads it; `null` where none does. */
  readonly activePid: number | null
  /** From where on it holds the log, in PostgreSQL's notation; `null` where it holds nothing any more. */
  readonly restartLsn: string | null
  /** Up to where everything is acknowledged. */
  readonly confirmedFlushLsn: string | null
  /** How much of the log is not acknowledged yet. */
  readonly lagBytes: number | null
  /** How much of the log the server keeps for it. */
  readonly retainedBytes: number | null
  /** How much may be written before the slot may be lost; `null` where there is no limit, or it is lost. */
  readonly safeWalBytes: number | null
  readonly walStatus: WalStatus | null
  /** Why it was invalidated; `null` where it was not, or the server is older than 17. */
  readonly invalidationReason: string | null
  /** Whether recovery of a standby invalidated it; `null` before version 16. */
  readonly isConflicting: boolean | null
  /** Whether it is kept on standbys, too; `null` before version 17. */
  readonly isFailover: boolean | null
  /** Since when nobody reads it; `null` where somebody does, or the server is older than 17. */
  readonly inactiveSince: Date | null
  /** Whether something was acknowledged between the two looks; `null` where there was only one. */
  readonly hasMoved: boolean | null
  /**
   * Whether it is further than its subscription may have acknowledged: somebody else moved it on, or made it again, and what
   * was before is not read any more. `false` also where that cannot be told: of other databases, and while somebody reads it.
   */
  readonly wasMoved: boolean
  /**
   * In how many seconds `safeWalBytes` will have been written at the present rate; `null` where there is no limit, where
   * nothing is written, where the slot moves, or where there was only one look.
   */
  readonly fullInSeconds: number | null
}

/** Something that stores a table's rows: the table, or a partition without partitions of its own. */
export interface WalStorageHealth extends TableName {
  /** What identifies a row in its updates and deletes. */
  readonly identity: 'full' | 'primary key' | 'index' | 'none'
  readonly persistence: 'permanent' | 'unlogged' | 'temporary'
  /** Whether it is a table of this server. */
  readonly isLocal: boolean
  readonly hasVirtualColumns: boolean
}

/** A table, as far as capturing it depends on it. */
export interface WalTableHealth extends TableName {
  readonly found: true
  readonly kind: 'table' | 'partitioned table' | 'view' | 'materialized view' | 'foreign table' | 'sequence' | 'other'
  /** The table at the top of its partition tree, where it is a partition. */
  readonly partitionOf: TableName | null
  readonly isSystem: boolean
  readonly owner: string
  readonly ownerIsSuperuser: boolean
  /** Whether the role may publish it. */
  readonly isOwned: boolean
  /** Whether the role may use its schema, without which it cannot name it. */
  readonly schemaIsOpen: boolean
  readonly primaryKey: readonly string[]
  readonly storage: readonly WalStorageHealth[]
  /** Whether it, or a partition, has row-level security: captured rows are not subject to it. */
  readonly hasRowSecurity: boolean
}

/** A table that was asked for, and is not there. */
export interface WalTableMissing extends TableName {
  readonly found: false
  /** What was probably meant. */
  readonly nearest: TableName | null
}

/** One publication of ours in this database. */
export interface WalPublicationHealth {
  readonly name: string
  readonly owner: WalOwner
  /** The role that owns it. */
  readonly role: string
  /** Whether the role that connected may drop it. */
  readonly isOwned: boolean
  /** Whether updates and deletes are published, and not only what needs no identity. */
  readonly publishesUpdates: boolean
  /** The large objects that hold how far its subscription's snapshots are, of which there is one at most. */
  readonly progress: readonly number[]
  readonly tables: readonly WalTableHealth[]
}

/** How far the snapshots of a subscription were, whose publication somebody has dropped by hand. */
export interface WalLeftProgress {
  /** The large object that holds it. */
  readonly oid: number
  readonly owner: WalOwner
  /** The role that owns it. */
  readonly role: string
  /** Whether the role that connected may remove it. */
  readonly isOwned: boolean
}

/** A client that is connected: it holds the advisory lock of what it owns. */
export interface WalClient {
  readonly owner: WalOwner
  /** The server process of its connection for everything but reading. */
  readonly processId: number
}

/** Something of ours that nobody uses, and that no running client will remove. */
export interface WalOrphan {
  readonly reason:
    /** A subscription's slot, of whose two publications one or both are gone: it cannot be read any more. */
    | 'slot without publications'
    /** A subscription's publications, without its slot: copied with the database, or the slot was dropped. */
    | 'publications without slot'
    /** A client without a subscription that ended without tidying up. The next client to start removes it. */
    | 'crashed client'
    /** How far a subscription's snapshots were, of which nothing else is there: somebody removed the rest by hand. */
    | 'progress without publications'
    /** A subscription that is whole, and that nobody reads: it may be resumed, or not be wanted any more. */
    | 'nobody reads it'
  readonly owner: WalOwner
  readonly slots: readonly string[]
  readonly publications: readonly string[]
  /** The large objects that hold how far its snapshots were, and whose publication is gone. */
  readonly progress: readonly number[]
  /** What removes it, in this order. */
  readonly statements: readonly string[]
}

/** Everything that can be told about capturing from the write-ahead log of one database: plain data. */
export interface WalHealth {
  readonly takenAt: Date
  readonly database: string
  readonly server: WalServerHealth
  readonly role: WalRoleHealth
  readonly wal: WalLogHealth
  readonly slots: readonly WalSlotHealth[]
  readonly publications: readonly WalPublicationHealth[]
  /** What was kept for subscriptions whose publications are gone. */
  readonly leftProgress: readonly WalLeftProgress[]
  readonly orphans: readonly WalOrphan[]
  /** The clients that are connected, whether they read at this moment or not. */
  readonly clients: readonly WalClient[]
  /** The tables that were asked for. */
  readonly tables: readonly (WalTableHealth | WalTableMissing)[]
  /** What the role could not see, a sentence each. */
  readonly unseen: readonly string[]
}
