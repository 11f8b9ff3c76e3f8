import type { LogicalMessage } from '@rowtap/core/driver'
import { position } from '@rowtap/core/driver'
import type { LogicalMessage as ReceivedMessage } from '../pgoutput/logical-message.ts'
import { lsnDigits } from './lsn.ts'
import type { TimelineHistory } from './timeline-history.ts'
import type { ArrivingTransaction } from './wal-change.ts'
import { positionPrefix } from './wal-position.ts'

/**
 * A message in memory of its own.
 *
 * The server places it at the end of its log record, where the next record may begin: the last byte of its own record is
 * the place of no change and of no commit. One that belongs to no transaction is sent as soon as the server comes to its
 * record, and so stands among the transactions as their commit records do.
 *
 * @param arriving the transaction that it belongs to; `null` where it belongs to none.
 */
export function walMessage(
  received: ReceivedMessage,
  arriving: ArrivingTransaction | null,
  history: TimelineHistory,
): LogicalMessage {
  const { prefix, content, transactional, lsn } = received
  const place = lsn - 1n
  const digits = lsnDigits(place)
  return {
    prefix,
    content: Uint8Array.from(content),
    transactional,
    transaction: arriving?.transaction ?? null,
    id: `${arriving?.idPrefix ?? history.prefixAt(place)}${digits}-m`,
    position: position(`${arriving?.positionPrefix ?? positionPrefix(place, history)}${digits}-00000000`),
  }
}
