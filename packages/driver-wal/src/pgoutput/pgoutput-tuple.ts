import type { RelationColumn, Tuple } from '@rowtap/core/driver'
import { MalformedMessage } from './malformed-message.ts'
import { ReceivedBytes } from './received-bytes.ts'

const NULL = 0x6e // 'n'
const UNCHANGED = 0x75 // 'u': a TOASTed value that the update left alone
const TEXT = 0x74 // 't'

/** Why a column has no text. */
const NOT_SENT = -1
const IS_NULL = -2

/**
 * One row as it lies in the received bytes.
 *
 * Only the columns that are asked for are decoded. The lengths in front of each value are followed from where
 * the last question left off, so that reading in ascending order looks at each of them once.
 */
export class PgoutputTuple implements Tuple {
  private readonly bytes: ReceivedBytes
  private readonly start: number
  private readonly columns: number
  private readonly nullIsMissing: boolean
  private index = 0
  private at: number

  /**
   * @param start the row's offset, which is that of its number of columns. {@link skipTuple} has checked the bytes.
   * @param nullIsMissing in an old row that has key columns only, the others come as NULL. A key column never is.
   */
  constructor(bytes: ReceivedBytes, start: number, nullIsMissing: boolean) {
    this.bytes = bytes
    this.columns = uint16At(bytes.buffer, start)
    this.start = start + 2
    this.at = this.start
    this.nullIsMissing = nullIsMissing
  }

  text(index: number): string | null | undefined {
    const from = this.find(index)
    return from < 0 ? this.missing(from) : this.bytes.text(from, this.at)
  }

  value(index: number, { parse, keepsText }: RelationColumn): unknown {
    const from = this.find(index)
    if (from < 0) return this.missing(from)
    return parse(keepsText === false ? this.bytes.passingText(from, this.at) : this.bytes.text(from, this.at))
  }

  /** The offset of a column's text, whose end is `at` then; less than 0: it has none. */
  private find(index: number): number {
    // Behind the columns that are sent are those that never are.
    if (index >= this.columns) return NOT_SENT
    const { buffer } = this.bytes
    let { at, index: current } = this
    if (index < current) {
      at = this.start
      current = 0
    }
    for (;;) {
      const isText = buffer[at] === TEXT
      const from = at + 5
      const end = isText ? from + uint32At(buffer, at + 1) : at + 1
      if (current === index) {
        this.at = end
        this.index = current + 1
        if (isText) return from
        if (buffer[at] === undefined) throw new RangeError('A row was read after its batch was released.')
        return buffer[at] === UNCHANGED ? NOT_SENT : IS_NULL
      }
      at = end
      current += 1
    }
  }

  private missing(why: number): null | undefined {
    return why === NOT_SENT || this.nullIsMissing ? undefined : null
  }

  /** The same row in bytes of its own: it no longer keeps those alive that were received with it. */
  detach(): PgoutputTuple {
    const from = this.start - 2
    const { buffer } = this.bytes
    const end = skipTuple(buffer, from, buffer.length, this.columns)
    return new PgoutputTuple(new ReceivedBytes(Buffer.from(buffer.subarray(from, end))), 0, this.nullIsMissing)
  }
}

/**
 * Walks over a row, whose first byte is the number of columns.
 *
 * @returns the offset behind it.
 * @throws MalformedMessage
 */
export function skipTuple(buffer: Buffer, start: number, end: number, columns: number): number {
  if (start + 2 > end) throw new MalformedMessage('the message ends before a row')
  const count = uint16At(buffer, start)
  if (count !== columns) throw new MalformedMessage(`a row of ${count} columns in a table of ${columns}`)
  let at = start + 2
  for (let index = 0; index < count; index += 1) {
    if (at >= end) throw new MalformedMessage(`the message ends before column ${index}`)
    const kind = buffer[at]
    if (kind === TEXT) at += at + 5 <= end ? 5 + uint32At(buffer, at + 1) : end
    else if (kind === NULL || kind === UNCHANGED) at += 1
    else throw new MalformedMessage(`column ${index} is of kind ${kind}`)
  }
  if (at > end) throw new MalformedMessage('a value is longer than the message')
  return at
}

function uint32At(buffer: Buffer, at: number): number {
  return (
    (((buffer[at] ?? 0) << 24) |
      ((buffer[at + 1] ?? 0) << 16) |
      ((buffer[at + 2] ?? 0) << 8) |
      (buffer[at + 3] ?? 0)) >>>
    0
  )
}

function uint16At(buffer: Buffer, at: number): number {
  return ((buffer[at] ?? 0) << 8) | (buffer[at + 1] ?? 0)
}
