import { quoteIdentifier } from '@rowtap/core/driver'

/*
 * Commands of the replication protocol, which takes no parameters. The names in them are the driver's own:
 * letters, digits and underscores.
 * https://www.postgresql.org/docs/current/protocol-replication.html
 */

/** How long a slot lives: as long as its connection, or until it is dropped; with FAILOVER, also on standbys. */
export type SlotKind = 'temporary' | 'permanent' | 'failover'

/** Makes a slot. FAILOVER is for PostgreSQL 17 and later. */
export function createSlotCommand(slot: string, kind: SlotKind): string {
  const name = quoteIdentifier(slot)
  if (kind === 'failover') return `CREATE_REPLICATION_SLOT ${name} LOGICAL pgoutput (SNAPSHOT 'nothing', FAILOVER)`
  return `CREATE_REPLICATION_SLOT ${name} ${kind === 'temporary' ? 'TEMPORARY ' : ''}LOGICAL pgoutput NOEXPORT_SNAPSHOT`
}

/** Has standbys hold a copy of a slot, from PostgreSQL 17 on. */
export function enableFailover(slot: string): string {
  return `ALTER_REPLICATION_SLOT ${quoteIdentifier(slot)} (FAILOVER true)`
}

/** What the server is to send besides changes that are committed. */
export interface StreamOptions {
  /** Large transactions, while they are open. */
  readonly isStreaming: boolean
  /** Logical messages. */
  readonly messages: boolean
}

/** Streams from where the slot is. */
export function startReplication(
  slot: string,
  publications: readonly string[],
  { isStreaming, messages }: StreamOptions,
): string {
  const names = publications.map(quoteIdentifier).join(',')
  const protocol = isStreaming ? `proto_version '2', streaming 'on'` : `proto_version '1'`
  const logical = messages ? `, messages 'true'` : ''
  return `START_REPLICATION SLOT ${quoteIdentifier(slot)} LOGICAL 0/0 (${protocol}, publication_names '${names}'${logical})`
}

/** Which server it is, and where its log ends. */
export const IDENTIFY_SYSTEM = 'IDENTIFY_SYSTEM'

/** The history file of a timeline. The first one has none. */
export function timelineHistory(timeline: number): string {
  return `TIMELINE_HISTORY ${timeline}`
}
