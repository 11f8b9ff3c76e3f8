import { PassThrough } from 'node:stream'
import { expect, test } from 'vitest'
import { SocketReader } from './socket-reader.ts'

/** A stream whose bytes `pg` would read, were there no reader. */
function read(): { readonly stream: PassThrough; readonly reader: SocketReader; readonly heard: Buffer[] } {
  const stream = new PassThrough()
  const heard: Buffer[] = []
  stream.on('data', (chunk: Buffer) => heard.push(chunk))
  return { stream, reader: new SocketReader(stream), heard }
}

test('wakes who waits for little as soon as it arrives, and not a turn of the event loop later', async () => {
  const { stream, reader } = read()
  let turns = 0
  const arrived = reader.arrival().then(() => turns)
  setImmediate(() => (turns += 1))
  stream.emit('data', Buffer.from('a row'))
  expect(await arrived).toBe(0)
  expect(reader.take()?.toString()).toBe('a row')
  expect(reader.take()).toBeNull()
})

test('leaves the stream alone while enough waits, and goes on when it is taken', () => {
  const { stream, reader } = read()
  stream.emit('data', Buffer.alloc(1024 * 1024))
  expect([reader.isFull, stream.isPaused()]).toEqual([true, true])
  reader.take()
  expect(reader.isFull).toBe(false)
})

test('gives what is not data to whoever read the stream before', () => {
  const { stream, reader, heard } = read()
  stream.emit('data', Buffer.from('bytes'))
  expect(heard).toEqual([])
  reader.handOver(Buffer.from('bytes'))
  expect(heard.map(String)).toEqual(['bytes'])
})

test('has what arrived before the end, and waits for nothing after it', async () => {
  const { stream, reader } = read()
  stream.emit('data', Buffer.from('the last'))
  stream.emit('close')
  await reader.arrival()
  expect(reader.take()?.toString()).toBe('the last')
  await reader.arrival()
  expect([reader.isEnded, reader.take()]).toEqual([true, null])
})
