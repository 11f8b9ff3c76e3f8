import type { Lsn } from './lsn.ts'

const MILLISECONDS_FROM_1970_TO_2000 = 946_684_800_000n

/**
 * The message that tells the server how far everything was received and handled. The server keeps the log from
 * `flushed` on, and a durable slot begins there again: it is the exact end of a commit, because one byte more can
 * skip the transaction that begins at that end.
 *
 * @param asksForReply whether the server is to answer at once.
 * https://www.postgresql.org/docs/current/protocol-replication.html
 */
export function standbyStatus(received: Lsn, flushed: Lsn, nowMs: number, asksForReply = false): Buffer {
  const message = Buffer.alloc(5 + 34)
  message.write('d', 0, 'latin1')
  message.writeUInt32BE(4 + 34, 1)
  message.write('r', 5, 'latin1')
  message.writeBigUInt64BE(received > flushed ? received : flushed, 6)
  message.writeBigUInt64BE(flushed, 14)
  message.writeBigUInt64BE(flushed, 22)
  message.writeBigInt64BE((BigInt(Math.trunc(nowMs)) - MILLISECONDS_FROM_1970_TO_2000) * 1000n, 30)
  message.writeUInt8(asksForReply ? 1 : 0, 38)
  return message
}

/** The message that ends the stream of changes and leaves the connection open. */
export const COPY_DONE: Buffer = Buffer.from([0x63, 0, 0, 0, 4])

/** A time of the replication protocol (microseconds since 2000) as a Date, to the millisecond. */
export function dateOf(microseconds: bigint): Date {
  return new Date(Number(microseconds / 1000n + MILLISECONDS_FROM_1970_TO_2000))
}

/** The same, from the upper 32 bits, which are signed, and the lower ones. A number of 64 bits costs more than all else. */
export function dateOfHalves(high: number, low: number): Date {
  const microseconds = high * 2 ** 32 + low
  // A double has every microsecond of the times before 2285.
  if (!Number.isSafeInteger(microseconds)) return dateOf((BigInt(high) << 32n) | BigInt(low))
  return new Date((microseconds - (microseconds % 1000)) / 1000 + Number(MILLISECONDS_FROM_1970_TO_2000))
}
