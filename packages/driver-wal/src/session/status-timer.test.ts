import { setImmediate as immediate } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { InFlight } from '../replication/in-flight.ts'
import type { Lsn } from '../replication/lsn.ts'
import { StatusTimer } from './status-timer.ts'

const MIB = 1024n * 1024n

test('what may be acknowledged is, however much is handled while that is written down', async () => {
  const inFlight = new InFlight(MIB)
  const sent: Lsn[] = []
  let limit = MIB
  let written = 0
  const status = new StatusTimer({
    inFlight,
    send: (message) => {
      sent.push(message.readBigUInt64BE(14))
      return Promise.resolve()
    },
    senderTimeoutMs: 0,
    limit: {
      allows: (place) => place <= limit,
      raise: async (place) => {
        written += 1
        await immediate()
        // As much is handled while it is written down.
        inFlight.keepalive(place + 10n * MIB)
        limit = place + MIB
      },
    },
  })
  try {
    for (const place of [20n * MIB, 40n * MIB]) {
      inFlight.keepalive(place)
      await status.tell()
      await expect.poll(() => sent.at(-1)).toBe(place)
      expect(inFlight.flushed).toBeGreaterThan(limit)
    }
    expect(written).toBe(2)
  } finally {
    status.stop()
  }
})
