import type { RelationColumn, Tuple } from '@rowtap/core/driver'
import { MalformedMessage } from './malformed-message.ts'
import { uint16At, uint32At } from './number-at.ts'
import { ReceivedBytes } from './received-bytes.ts'

const NULL = 0x6e // 'n'
const UNCHANGED = 0x75 // 'u': a TOASTed value that the update left alone
const TEXT = 0x74 // 't'

/** Why a column has no text. */
const NOT_SENT = -1
const IS_NULL = -2

/** More bytes than these are compared by a call out of the engine. */
const MOST_COMPARED = 64

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

  value(index: number, { parse, parsePart }: RelationColumn): unknown {
    const from = this.find(index)
    if (from < 0) return this.missing(from)
    const characters = parsePart === undefined ? null : this.bytes.characters
    if (parsePart === undefined || characters === null) return parse(this.bytes.text(from, this.at))
    return parsePart(characters, from, this.at)
  }

  differs(index: number, other: Tuple): boolean {
    if (!(other instanceof PgoutputTuple)) return textsDiffer(this.text(index), other.text(index))
    const from = this.find(index)
    const otherFrom = other.find(index)
    if (from < 0 || otherFrom < 0) {
      return !this.isMissing(from) && !other.isMissing(otherFrom) && from !== otherFrom
    }
    return !this.hasSameBytes(from, other, otherFrom)
  }

  /** Compares the texts that were found last in both rows, by their offsets. */
  private hasSameBytes(from: number, other: PgoutputTuple, otherFrom: number): boolean {
    const length = this.at - from
    if (other.at - otherFrom !== length) return false
    const { buffer } = this.bytes
    const otherBuffer = other.bytes.buffer
    if (length > MOST_COMPARED) return buffer.compare(otherBuffer, otherFrom, other.at, from, this.at) === 0
    for (let at = 0; at < length; at += 1) if (buffer[from + at] !== otherBuffer[otherFrom + at]) return false
    return true
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
    return this.isMissing(why) ? undefined : null
  }

  private isMissing(from: number): boolean {
    return from === NOT_SENT || (from === IS_NULL && this.nullIsMissing)
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

function textsDiffer(one: string | null | undefined, other: string | null | undefined): boolean {
  return one !== undefined && other !== undefined && one !== other
}
