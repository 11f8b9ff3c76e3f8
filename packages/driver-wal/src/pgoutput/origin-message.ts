import { ByteReader } from './byte-reader.ts'

/** Where a transaction was written first, where it came by replication. */
export interface OriginMessage {
  /** The place of its commit there. */
  readonly commit: bigint
  readonly name: string
}

/**
 * Reads a message of type `O`, its type byte included.
 * https://www.postgresql.org/docs/current/protocol-logicalrep-message-formats.html
 *
 * @throws MalformedMessage
 */
export function readOriginMessage(buffer: Buffer, start: number, end: number): OriginMessage {
  const reader = new ByteReader(buffer, start + 1, end)
  const commit = reader.uint64()
  const name = reader.cString()
  reader.expectEnd()
  return { commit, name }
}
