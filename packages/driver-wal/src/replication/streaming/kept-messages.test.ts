import { tmpdir } from 'node:os'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { FrameReader } from '../frame-reader.ts'
import { KeptMessages, RECORD_HEADER_BYTES } from './kept-messages.ts'
import { openIn } from './spill-file.ts'

interface Message {
  readonly xid: number
  readonly high: number
  readonly low: number
  readonly type: number
  readonly body: Buffer
}

const uint32 = fc.nat(0xffffffff)
const body = fc
  .tuple(fc.oneof({ weight: 9, arbitrary: fc.nat(300) }, { weight: 1, arbitrary: fc.nat(600_000) }), fc.nat(255))
  .map(([length, byte]) => Buffer.alloc(length, byte))
const message: fc.Arbitrary<Message> = fc.record({ xid: uint32, high: uint32, low: uint32, type: fc.nat(255), body })
/** What is done: a message is added, or what is in memory goes to the disk. */
const steps = fc.array(fc.oneof({ weight: 8, arbitrary: message }, { weight: 1, arbitrary: fc.boolean() }), {
  maxLength: 60,
})

function add(kept: KeptMessages, { xid, high, low, type, body: bytes }: Message): void {
  // The transaction's id, between the type and the rest, is what protocol 2 has and protocol 1 has not.
  const received = Buffer.concat([Buffer.from('before'), Buffer.of(type, 1, 2, 3, 4), bytes, Buffer.from('behind')])
  kept.add(xid, high, low, received, 6, 11, 11 + bytes.length)
}

async function read(kept: KeptMessages): Promise<Message[]> {
  const frames = new FrameReader()
  const messages: Message[] = []
  for (let chunk = await kept.next(); chunk !== null; chunk = await kept.next()) {
    frames.push(chunk)
    while (frames.next()) {
      const { buffer, start, end } = frames
      const at = start + RECORD_HEADER_BYTES
      messages.push({
        xid: buffer.readUInt32BE(start),
        high: buffer.readUInt32BE(start + 4),
        low: buffer.readUInt32BE(start + 8),
        type: buffer.readUInt8(at),
        body: buffer.subarray(at + 1, end),
      })
    }
  }
  return messages
}

test('gives back every message as it was, wherever what was in memory went to the disk', async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (taken) => {
      const kept = new KeptMessages()
      const messages: Message[] = []
      try {
        for (const step of taken) {
          if (typeof step === 'boolean') {
            await kept.spill(openIn(tmpdir()), step)
          } else {
            add(kept, step)
            messages.push(step)
          }
        }
        expect(await read(kept)).toEqual(messages)
        expect(kept.memoryBytes).toBe(0)
      } finally {
        await kept.close()
      }
    }),
    { numRuns: 60 },
  )
}, 60_000)

test('goes on with the memory that it has while it goes to the disk', async () => {
  const kept = new KeptMessages()
  const message = { xid: 1, high: 0, low: 0, type: 73, body: Buffer.alloc(100_000) }
  add(kept, message)
  await kept.spill(openIn(tmpdir()), true)
  let most = 0
  for (let index = 0; index < 200; index += 1) {
    add(kept, message)
    most = Math.max(most, kept.memoryBytes)
    if (kept.isDue) await kept.spill(openIn(tmpdir()), true)
  }
  expect(most).toBeLessThanOrEqual(3 * 256 * 1024)
  expect((await read(kept)).length).toBe(201)
  await kept.close()
})
