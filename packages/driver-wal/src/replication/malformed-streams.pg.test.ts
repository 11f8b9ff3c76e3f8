import { tmpdir } from 'node:os'
import type { Change, Relation } from '@rowtap/core/driver'
import { describePostgres } from '@rowtap/driver-testkit/vitest'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { MalformedMessage } from '../pgoutput/malformed-message.ts'
import type { RelationMessage } from '../pgoutput/relation-message.ts'
import { captureStreams } from '../testing/captured-stream.ts'
import { FrameReader } from './frame-reader.ts'
import { InFlight } from './in-flight.ts'
import { openIn } from './streaming/spill-file.ts'
import { WalMessages } from './wal-messages.ts'

const COPY_DATA = 0x64 // 'd'
const WAL_DATA_HEADER_BYTES = 25

/** Damage to some bytes: where, as a fraction of their length, and what. */
type Damage =
  | { readonly kind: 'flip'; readonly at: number; readonly bit: number }
  | { readonly kind: 'cut'; readonly at: number; readonly length: number }
  | { readonly kind: 'insert'; readonly at: number; readonly bytes: Uint8Array }
  | { readonly kind: 'length'; readonly at: number; readonly length: number }
  | { readonly kind: 'repeat'; readonly at: number; readonly length: number }
  | { readonly kind: 'end'; readonly at: number }

const at = fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true })
const damage: fc.Arbitrary<Damage> = fc.oneof(
  fc.record({ kind: fc.constant('flip'), at, bit: fc.nat(7) }),
  fc.record({ kind: fc.constant('cut'), at, length: fc.integer({ min: 1, max: 40 }) }),
  fc.record({ kind: fc.constant('insert'), at, bytes: fc.uint8Array({ minLength: 1, maxLength: 20 }) }),
  fc.record({
    kind: fc.constant('length'),
    at,
    length: fc.constantFrom(
      0,
      1,
      3,
      0xffff,
      0x10000,
      0x3ffffff0,
      0x3fffffff,
      0x40000000,
      0x7fffffff,
      0x80000000,
      0xffffffff,
    ),
  }),
  fc.record({ kind: fc.constant('repeat'), at, length: fc.integer({ min: 1, max: 200 }) }),
  fc.record({ kind: fc.constant('end'), at }),
)

function damaged(bytes: Buffer, how: Damage): Buffer {
  const place = Math.floor(how.at * bytes.length)
  const copy = Buffer.from(bytes)
  switch (how.kind) {
    case 'flip':
      copy[place] = (copy[place] ?? 0) ^ (1 << how.bit)
      return copy
    case 'cut':
      return Buffer.concat([copy.subarray(0, place), copy.subarray(place + how.length)])
    case 'insert':
      return Buffer.concat([copy.subarray(0, place), how.bytes, copy.subarray(place)])
    case 'length':
      if (place + 4 <= copy.length) copy.writeUInt32BE(how.length, place)
      return copy
    case 'repeat':
      return Buffer.concat([copy.subarray(0, place + how.length), copy.subarray(place)])
    case 'end':
      return copy.subarray(0, place)
  }
}

/** Some messages in a row, of which one is damaged inside: its header says how long it has become. */
const inside = (messages: readonly Buffer[]): fc.Arbitrary<Buffer> =>
  fc.tuple(fc.nat(messages.length - 1), fc.array(damage, { minLength: 1, maxLength: 3 })).map(([index, damages]) => {
    const message = messages[index] ?? Buffer.alloc(0)
    const payload = damages.reduce(damaged, message.subarray(5 + WAL_DATA_HEADER_BYTES))
    const header = Buffer.from(message.subarray(0, 5 + WAL_DATA_HEADER_BYTES))
    header.writeUInt32BE(4 + WAL_DATA_HEADER_BYTES + payload.length, 1)
    return Buffer.concat([...messages.slice(0, index), header, payload, ...messages.slice(index + 1)])
  })

/** Bytes that are damaged wherever. */
const anywhere = (messages: readonly Buffer[]): fc.Arbitrary<Buffer> =>
  fc.array(damage, { minLength: 1, maxLength: 4 }).map((damages) => damages.reduce(damaged, Buffer.concat(messages)))

function ofMessage({ schema, name, columns }: RelationMessage): Promise<Relation> {
  const described = columns.map((column) => ({ name: column.name }))
  return Promise.resolve({ schema, name, columns: described } as unknown as Relation)
}

/** Reads bytes that arrive in chunks; returns how many changes were in them, and how many bytes those had. */
async function read(bytes: Buffer, chunkBytes: number): Promise<{ changes: number; textBytes: number }> {
  const frames = new FrameReader()
  const open = { bufferBytes: 20_000, openFile: openIn(tmpdir()) }
  const settled = (): Promise<void> => Promise.resolve()
  const messages = new WalMessages({ relations: { ofMessage }, inFlight: new InFlight(), settled, open })
  const changes: Change[] = []
  try {
    for (let from = 0; from < bytes.length; from += chunkBytes) {
      frames.push(bytes.subarray(from, from + chunkBytes))
      while (frames.next()) {
        const { type, buffer, start, end } = frames
        const message = start + WAL_DATA_HEADER_BYTES
        if (type !== COPY_DATA || message > end) continue
        await messages.take(
          buffer,
          message,
          end,
          buffer.readUInt32BE(start + 1),
          buffer.readUInt32BE(start + 5),
          changes,
        )
        while (messages.isReplaying) await messages.replay(changes, 4096)
      }
    }
  } catch (error) {
    if (!(error instanceof MalformedMessage)) throw error
  } finally {
    await messages.close()
  }
  return { changes: changes.length, textBytes: changes.reduce((sum, change) => sum + textBytesOf(change), 0) }
}

/** Reads every value of a change, which must be possible of whatever was not refused. */
function textBytesOf(change: Change): number {
  const own = change.detach?.() ?? change
  expect([own.id, own.position]).toEqual([change.id, change.position])
  let bytes = 0
  for (const row of [change.old, change.new, own.new]) {
    for (let index = 0; index < change.relation.columns.length; index += 1) bytes += row?.text(index)?.length ?? 0
  }
  return bytes
}

describePostgres('bytes that are not what the protocol says', (postgres) => {
  for (const protocol of [1, 2] as const) {
    test(`are refused or read, and nothing else happens (protocol ${protocol})`, { timeout: 300_000 }, async () => {
      await using database = await postgres.createDatabase()
      const messages = (await captureStreams(database))[protocol]
      const whole = Buffer.concat(messages)
      expect((await read(whole, 65_536)).changes).toBeGreaterThan(1000)
      // Most of what is sent are rows like the ones before.
      const few = messages.filter((_, index) => index < 40 || index >= messages.length - 10 || index % 25 === 0)
      await fc.assert(
        fc.asyncProperty(
          fc.oneof(inside(few), inside(messages.slice(0, 30)), anywhere(few)),
          fc.constantFrom(7, 100, 4096, 65_536),
          async (bytes, chunkBytes) => {
            const started = performance.now()
            const { changes, textBytes } = await read(bytes, chunkBytes)
            // Nothing is made of nothing: each row is there three times at most, with every byte of it.
            expect(changes).toBeLessThanOrEqual(bytes.length)
            expect(textBytes).toBeLessThanOrEqual(3 * bytes.length)
            expect(performance.now() - started).toBeLessThan(5000)
          },
        ),
        { numRuns: 3000 },
      )
    })
  }
})
