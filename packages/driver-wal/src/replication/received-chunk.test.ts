import { expect, test } from 'vitest'
import { ReceivedChunk } from './received-chunk.ts'

test('gives its memory back with the last who may read it', () => {
  const chunk = new ReceivedChunk(Buffer.allocUnsafeSlow(64 * 1024))
  chunk.use()
  chunk.use()
  chunk.release()
  chunk.release()
  expect(chunk.bytes.length).toBe(64 * 1024)
  chunk.release()
  expect(chunk.bytes.length).toBe(0)
})

test('leaves alone what shares its memory with something else', () => {
  const shared = Buffer.alloc(64 * 1024)
  const chunk = new ReceivedChunk(shared.subarray(0, 32 * 1024))
  chunk.release()
  expect(shared.length).toBe(64 * 1024)
})

test('leaves alone what is small: it may be one of many in the same memory', () => {
  const chunk = new ReceivedChunk(Buffer.allocUnsafeSlow(1024))
  chunk.release()
  expect(chunk.bytes.length).toBe(1024)
})
