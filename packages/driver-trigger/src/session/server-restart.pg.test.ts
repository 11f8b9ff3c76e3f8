import { eventually, startPostgres } from '@rowtap/driver-testkit'
import { describe, expect, test } from 'vitest'
import type { TestSession } from '../testing/open-test-session.ts'
import { openTestSession } from '../testing/open-test-session.ts'

const QUICK = { minDelayMs: 10, maxDelayMs: 100 }
const ROUNDS = 4
const ROWS = 40

function idsOf({ changes }: TestSession): readonly number[] {
  return changes.map((change) => Number(change.new?.text(0)))
}

function gapsOf({ notices }: TestSession): readonly object[] {
  return notices.filter(({ kind }) => kind === 'gap')
}

describe('a session whose server is started again', () => {
  test.each(['fast', 'immediate'] as const)(
    '(%s) loses nothing with a subscription, and without one nothing in silence; positions only grow',
    { timeout: 120_000 },
    async (mode) => {
      await using server = await startPostgres({ sources: ['embedded'], settings: { fsync: 'on' } })
      const database = await server.createDatabase()
      await database.query('CREATE TABLE t (id int PRIMARY KEY)')
      const durable = await openTestSession(
        { connection: database.url, reconnect: QUICK },
        { name: 'billing', wait: true, onPositionLost: 'stop' },
      )
      const ephemeral = await openTestSession({ connection: database.url, reconnect: QUICK })
      for (const session of [durable, ephemeral]) await session.capture('t')
      const committed: number[] = []
      for (let round = 0; round < ROUNDS; round += 1) {
        const writer = await database.connect()
        const ended = new Promise<void>((resolve) => writer.on('end', () => resolve()))
        for (let row = 0; row < ROWS; row += 1) {
          await writer.query('INSERT INTO t VALUES ($1)', [round * ROWS + row])
          // A number that is given to another transaction after a crash, where nothing was written with it.
          await writer.query('BEGIN; SELECT pg_current_xact_id(); ROLLBACK')
          committed.push(round * ROWS + row)
        }
        await server.restart(mode)
        await ended
      }
      const last = ROUNDS * ROWS
      const writer = await database.connect()
      // Until it is live again an ephemeral client may miss what is written.
      await eventually(async () => {
        await writer.query('INSERT INTO t VALUES ($1)', [last + committed.length])
        committed.push(last + committed.length)
        return [durable, ephemeral].every((session) => idsOf(session).some((id) => id >= last))
      }, 'a change after the last start')
      const final = last + committed.length + 1000
      await writer.query('INSERT INTO t VALUES ($1)', [final])
      committed.push(final)
      await eventually(() => [durable, ephemeral].every((session) => idsOf(session).includes(final)), 'the last change')
      expect(idsOf(durable)).toEqual(committed)
      expect(gapsOf(durable)).toEqual([])
      const ofEphemeral = idsOf(ephemeral)
      if (gapsOf(ephemeral).length === 0) expect(ofEphemeral).toEqual(committed)
      expect(ofEphemeral).toEqual(committed.filter((id) => ofEphemeral.includes(id)))
      for (const { changes } of [durable, ephemeral]) {
        const positions = changes.map(({ position }) => position)
        expect(positions).toEqual(positions.toSorted())
        expect(new Set(positions).size).toBe(positions.length)
      }
      await durable.close()
      await ephemeral.close()
    },
  )
})
