import { quoteIdentifier } from '@rowtap/core/driver'

/*
 * Commands of the replication protocol, which takes no parameters. The names in them are the driver's own:
 * letters, digits and underscores.
 * https://www.postgresql.org/docs/current/protocol-replication.html
 */

/** Makes a slot that goes away with its connection. */
export function createTemporarySlot(slot: string): string {
  return `CREATE_REPLICATION_SLOT ${quoteIdentifier(slot)} TEMPORARY LOGICAL pgoutput NOEXPORT_SNAPSHOT`
}

/** Streams from where the slot is. */
export function startReplication(slot: string, publications: readonly string[]): string {
  const names = publications.map(quoteIdentifier).join(',')
  return `START_REPLICATION SLOT ${quoteIdentifier(slot)} LOGICAL 0/0 (proto_version '1', publication_names '${names}')`
}
