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
function streamOf(socket: PassThrough): ChangeStream {
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
    messages: false,
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
