import { expect, test } from 'vitest'
import { FrameReader } from './frame-reader.ts'

function frame(type: string, payload: Buffer | string): Buffer {
  const body = Buffer.from(payload)
  const header = Buffer.alloc(5)
  header.write(type, 'latin1')
  header.writeUInt32BE(body.length + 4, 1)
  return Buffer.concat([header, body])
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
