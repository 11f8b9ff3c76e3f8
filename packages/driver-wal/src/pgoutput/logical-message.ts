import { ByteReader } from './byte-reader.ts'

/** What a program wrote into the write-ahead log with `pg_logical_emit_message`. */
export interface LogicalMessage {
  /** What the writer calls this sort of message. */
  readonly prefix: string
  /** As written. The bytes are those that were received: copy them to keep them. */
  readonly content: Buffer
  /** Whether it belongs to the transaction that it comes in; otherwise it holds even if that was rolled back. */
  readonly transactional: boolean
  /** The place of its log record. */
  readonly lsn: bigint
}

/**
 * Reads a message of type `M`, its type byte included.
 * https://www.postgresql.org/docs/current/protocol-logicalrep-message-formats.html
 *
 * @throws MalformedMessage
 */
export function readLogicalMessage(buffer: Buffer, start: number, end: number): LogicalMessage {
  const reader = new ByteReader(buffer, start + 1, end)
  const transactional = (reader.byte() & 1) === 1
  const lsn = reader.uint64()
  const prefix = reader.cString()
  const content = reader.bytes(reader.uint32())
  reader.expectEnd()
  return { prefix, content, transactional, lsn }
}
