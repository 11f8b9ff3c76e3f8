import { ByteReader } from './byte-reader.ts'

/** A type of some column that is not PostgreSQL's own, as the stream announces it before the table. */
export interface TypeMessage {
  readonly oid: number
  /** The schema and the name; of a domain, those of the type that it is over. */
  readonly schema: string
  readonly name: string
}

/**
 * Reads a message of type `Y`, its type byte included.
 * https://www.postgresql.org/docs/current/protocol-logicalrep-message-formats.html
 *
 * @throws MalformedMessage
 */
export function readTypeMessage(buffer: Buffer, start: number, end: number): TypeMessage {
  const reader = new ByteReader(buffer, start + 1, end)
  const oid = reader.uint32()
  const schema = reader.cString()
  const name = reader.cString()
  reader.expectEnd()
  // The server leaves the name of the schema pg_catalog out.
  return { oid, schema: schema === '' ? 'pg_catalog' : schema, name }
}
