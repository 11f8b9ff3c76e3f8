import { ByteReader } from './byte-reader.ts'

/** A table's shape as the stream announces it, before the first change of that shape. */
export interface RelationMessage {
  readonly oid: number
  readonly schema: string
  readonly name: string
  /** `pg_class.relreplident` */
  readonly replicaIdentity: string
  readonly columns: readonly RelationMessageColumn[]
}

/** One column of a {@link RelationMessage}. */
export interface RelationMessageColumn {
  readonly name: string
  readonly typeOid: number
  readonly typeModifier: number
  /** Whether the old row of an update or delete has it. */
  readonly isIdentity: boolean
}

/**
 * Reads a message of type `R`, its type byte included.
 * https://www.postgresql.org/docs/current/protocol-logicalrep-message-formats.html
 *
 * @throws MalformedMessage
 */
export function readRelationMessage(buffer: Buffer, start: number, end: number): RelationMessage {
  const reader = new ByteReader(buffer, start + 1, end)
  const oid = reader.uint32()
  const schema = reader.cString()
  const name = reader.cString()
  const replicaIdentity = String.fromCharCode(reader.byte())
  const columns = Array.from({ length: reader.uint16() }, () => {
    const isIdentity = (reader.byte() & 1) === 1
    const columnName = reader.cString()
    return { name: columnName, typeOid: reader.uint32(), typeModifier: reader.int32(), isIdentity }
  })
  reader.expectEnd()
  // The server leaves the name of the schema pg_catalog out.
  return { oid, schema: schema === '' ? 'pg_catalog' : schema, name, replicaIdentity, columns }
}
