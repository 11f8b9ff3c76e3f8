import { PassThrough } from 'node:stream'
import type { Relation } from '@rowtap/core/driver'
import { expect, test } from 'vitest'
import { walData } from '../testing/wal-data.ts'
import { ChangeStream } from './change-stream.ts'
import { InFlight } from './in-flight.ts'
import { SocketReader } from './socket-reader.ts'

const BEGIN = walData(0x1_0000_0010n, Buffer.from('42000000013f5c7600000303ade02773f1000004cd', 'hex'))
const BROKEN = walData(0x1_0000_00f0n, Buffer.from('4900004306', 'hex'))

/** A stream of what a socket gives. */
function streamOf(socket: PassThrough, messages = false): ChangeStream {
  const relations = {
    ofMessage: (): Promise<Relation> => Promise.reject(new Error('There is none.')),
    isSettled: (): Promise<boolean> => Promise.resolve(true),
    isComparing: false,
    refresh: (): Promise<boolean> => Promise.resolve(true),
    current: (relation: Relation): Relation => relation,
  }
  return new ChangeStream({
    reader: new SocketReader(socket),
    relations,
    inFlight: new InFlight(),
    open: null,
    messages,
    answer: () => {},
  })
}

test.each([
  ['a message that is too short', BROKEN, '1/F0'],
  ['a length that cannot be one', Buffer.of(0x64, 0xff, 0xff, 0xff, 0xff), '1/10'],
  ['a length that is less than its own', Buffer.of(0x64, 0, 0, 0, 3), '1/10'],
  ['data that are neither a part of the log nor a keepalive', Buffer.of(0x64, 0, 0, 0, 5, 0x7a), '1/10'],
])('says where it found %s, and can be thrown away then', async (_, bytes, place) => {
  const socket = new PassThrough()
  const stream = streamOf(socket)
  // What comes behind is found although what was before is not there any more.
  socket.write(BEGIN)
  socket.write(bytes)
  await expect(stream.next()).rejects.toMatchObject({
    code: 'ERR_DECODE',
    message: expect.stringContaining(`at ${place} `),
  })
  const discarded = stream.discard()
  socket.write(Buffer.alloc(100_000, 0xff))
  socket.destroy()
  await discarded
  expect(await stream.next()).toBeNull()
})

test('a message that arrives in many pieces is whole, although the memory of what is read is given back', async () => {
  const socket = new PassThrough()
  const stream = streamOf(socket, true)
  const content = Buffer.from(Array.from({ length: 50_000 }, (_, index) => `${index},`).join(''))
  const header = Buffer.from('4d00000000010000001a7000', 'hex')
  const length = Buffer.alloc(4)
  length.writeUInt32BE(content.length)
  const message = walData(0x1_0000_0010n, Buffer.concat([header, length, content]))
  // What shares its memory with nothing is given back.
  const pieces = Array.from({ length: Math.ceil(message.length / 32_768) }, (_, index) => {
    const piece = message.subarray(index * 32_768, (index + 1) * 32_768)
    return Buffer.alloc(piece.length, piece)
  })
  for (const piece of pieces) socket.write(piece)
  const batch = await stream.next()
  expect(Buffer.from(batch?.messages?.[0]?.message.content ?? []).equals(content)).toBe(true)
  socket.write(BROKEN)
  await expect(stream.next()).rejects.toMatchObject({ code: 'ERR_DECODE' })
  expect(pieces.slice(0, -1).map((piece) => piece.length)).toEqual(pieces.slice(0, -1).map(() => 0))
})
