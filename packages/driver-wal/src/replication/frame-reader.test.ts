import { expect, test } from 'vitest'
import { MalformedMessage } from '../pgoutput/malformed-message.ts'
import { FrameReader } from './frame-reader.ts'
import { ReceivedChunk } from './received-chunk.ts'

function frame(type: string, payload: Buffer | string): Buffer {
  const body = Buffer.from(payload)
  const header = Buffer.alloc(5)
  header.write(type, 'latin1')
  header.writeUInt32BE(body.length + 4, 1)
  return Buffer.concat([header, body])
}

/** The same bytes in memory that they share with nothing. */
function ownBytes(bytes: Buffer): Buffer {
  const own = Buffer.allocUnsafeSlow(bytes.length)
  bytes.copy(own)
  return own
}

/** What a reader makes of bytes that arrive in these pieces. */
function read(chunks: readonly Buffer[]): string[] {
  const reader = new FrameReader()
  const seen: string[] = []
  for (const chunk of chunks) {
    reader.push(chunk)
    while (reader.next()) {
      expect(reader.frame()).toEqual(
        frame(String.fromCharCode(reader.type), reader.buffer.subarray(reader.start, reader.end)),
      )
      seen.push(String.fromCharCode(reader.type) + reader.buffer.toString('latin1', reader.start, reader.end))
    }
  }
  return seen
}

const bytes = Buffer.concat([frame('d', 'one'), frame('Z', ''), frame('d', 'three and more'), frame('c', '')])
const messages = ['done', 'Z', 'dthree and more', 'c']

test('cuts messages, wherever the bytes are torn', () => {
  for (let first = 0; first <= bytes.length; first += 1) {
    for (let second = first; second <= bytes.length; second += 1) {
      expect(read([bytes.subarray(0, first), bytes.subarray(first, second), bytes.subarray(second)])).toEqual(messages)
    }
  }
})

test('cuts messages that arrive byte by byte', () => {
  expect(read(Array.from(bytes, (byte) => Buffer.from([byte])))).toEqual(messages)
})

test('joins the pieces of a large message once', () => {
  const large = frame('d', Buffer.alloc(8 * 1024 * 1024, 'x'))
  const chunks = Array.from({ length: Math.ceil(large.length / 1000) }, (_, index) =>
    large.subarray(index * 1000, (index + 1) * 1000),
  )
  const reader = new FrameReader()
  const start = performance.now()
  for (const chunk of chunks) {
    expect(reader.next()).toBe(false)
    reader.push(chunk)
  }
  expect(reader.next()).toBe(true)
  // Joined at each piece it would be 32 GiB of copying.
  expect(performance.now() - start).toBeLessThan(2000)
  expect(reader.end - reader.start).toBe(8 * 1024 * 1024)
  expect(reader.next()).toBe(false)
})

test('copies no more than a message that is torn', () => {
  const reader = new FrameReader()
  const chunks = [bytes.subarray(0, 10), bytes.subarray(10)]
  const buffers = new Set<ArrayBufferLike>()
  let copied = 0
  for (const chunk of chunks) {
    reader.push(chunk)
    while (reader.next()) {
      buffers.add(reader.buffer.buffer)
      if (reader.buffer.buffer !== bytes.buffer) copied += reader.buffer.length
    }
  }
  expect(buffers).toContain(bytes.buffer)
  expect(copied).toBeLessThanOrEqual(frame('Z', '').length)
})

test.each([0, 3, 0x40000000, 0xffffffff])(
  'refuses a length of %i, again and again, also where it is torn',
  (length) => {
    const header = Buffer.from('d....')
    header.writeUInt32BE(length, 1)
    for (let at = 0; at < header.length; at += 1) {
      const reader = new FrameReader()
      reader.push(Buffer.concat([frame('Z', ''), header.subarray(0, at)]))
      expect(reader.next()).toBe(true)
      expect(reader.next()).toBe(false)
      reader.push(header.subarray(at))
      expect(() => reader.next()).toThrow(MalformedMessage)
      expect(() => reader.next()).toThrow(MalformedMessage)
    }
  },
)

test('what is torn is kept when the memory of what was received is not', () => {
  const reader = new FrameReader()
  const torn = Buffer.concat(['a', 'b', 'c'].map((letter) => frame('d', Buffer.alloc(20_000, letter))))
  const seen: string[] = []
  for (const part of [torn.subarray(0, 30_000), torn.subarray(30_000)]) {
    const chunk = new ReceivedChunk(ownBytes(part))
    reader.push(chunk.bytes)
    while (reader.next()) seen.push(reader.buffer.toString('latin1', reader.start, reader.end))
    chunk.release()
    expect(chunk.bytes.length).toBe(0)
  }
  expect(seen).toEqual(['a'.repeat(20_000), 'b'.repeat(20_000), 'c'.repeat(20_000)])
})
