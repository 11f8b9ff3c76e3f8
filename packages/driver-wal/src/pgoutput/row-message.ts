import { MalformedMessage } from './malformed-message.ts'
import { DELETE, INSERT } from './message-type.ts'
import { uint32At } from './number-at.ts'
import { PgoutputTuple, skipTuple } from './pgoutput-tuple.ts'
import type { ReceivedBytes } from './received-bytes.ts'

const KEY_ROW = 0x4b // 'K'
const NEW_ROW = 0x4e // 'N'
const OLD_ROW = 0x4f // 'O'

/** What happened to one row. */
export interface RowMessage {
  readonly kind: 'insert' | 'update' | 'delete'
  readonly new: PgoutputTuple | null
  readonly old: PgoutputTuple | null
}

/**
 * The object id of the table that a message of type `I`, `U` or `D` is about.
 *
 * @throws MalformedMessage
 */
export function tableOfRow(buffer: Buffer, start: number, end: number): number {
  if (start + 6 > end) throw new MalformedMessage('the message ends before its row')
  return uint32At(buffer, start + 1)
}

/**
 * Reads such a message, its type byte included. Its values stay where they are.
 *
 * @param columns how many the table has.
 * @throws MalformedMessage
 */
export function readRowMessage(bytes: ReceivedBytes, start: number, end: number, columns: number): RowMessage {
  const { buffer } = bytes
  const first = buffer[start + 5]
  const behind = skipTuple(buffer, start + 6, end, columns)
  const row = new PgoutputTuple(bytes, start + 6, first === KEY_ROW)
  if (buffer[start] === INSERT) {
    if (first !== NEW_ROW || behind !== end) throw new MalformedMessage('an insert that is not one new row')
    return { kind: 'insert', new: row, old: null }
  }
  const isOld = first === KEY_ROW || first === OLD_ROW
  if (buffer[start] === DELETE) {
    if (!isOld || behind !== end) throw new MalformedMessage('a delete that is not one old row')
    return { kind: 'delete', new: null, old: row }
  }
  if (first === NEW_ROW && behind === end) return { kind: 'update', new: row, old: null }
  if (!isOld || buffer[behind] !== NEW_ROW || skipTuple(buffer, behind + 1, end, columns) !== end) {
    throw new MalformedMessage('an update that is not an old row and a new one')
  }
  return { kind: 'update', new: new PgoutputTuple(bytes, behind + 1, false), old: row }
}
