import { ByteReader } from './byte-reader.ts'

/** What follows, up to the stop, is a part of a transaction that is still open. */
export interface StreamStart {
  readonly xid: number
  /** Whether nothing of the transaction came before. */
  readonly isFirst: boolean
}

/** A transaction that came in parts is committed. */
export interface StreamCommit {
  readonly xid: number
  /** The place of its commit record. */
  readonly commit: bigint
  /** The place behind that. */
  readonly end: bigint
  /** In microseconds since 2000. */
  readonly commitTime: bigint
}

/** A transaction that came in parts is rolled back, or one of its subtransactions is. */
export interface StreamAbort {
  readonly xid: number
  /** What is rolled back: the same as `xid` for the whole. */
  readonly subtransaction: number
}

/*
 * The messages that protocol 2 adds, each with its type byte.
 * https://www.postgresql.org/docs/current/protocol-logicalrep-message-formats.html
 */

/** @throws MalformedMessage */
export function readStreamStart(buffer: Buffer, start: number, end: number): StreamStart {
  const reader = new ByteReader(buffer, start + 1, end)
  const message = { xid: reader.uint32(), isFirst: reader.byte() === 1 }
  reader.expectEnd()
  return message
}

/** @throws MalformedMessage */
export function readStreamCommit(buffer: Buffer, start: number, end: number): StreamCommit {
  const reader = new ByteReader(buffer, start + 1, end)
  const xid = reader.uint32()
  reader.byte()
  const message = { xid, commit: reader.uint64(), end: reader.uint64(), commitTime: reader.int64() }
  reader.expectEnd()
  return message
}

/** @throws MalformedMessage */
export function readStreamAbort(buffer: Buffer, start: number, end: number): StreamAbort {
  const reader = new ByteReader(buffer, start + 1, end)
  const message = { xid: reader.uint32(), subtransaction: reader.uint32() }
  reader.expectEnd()
  return message
}
