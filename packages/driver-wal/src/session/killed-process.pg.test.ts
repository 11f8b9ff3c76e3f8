import type { KilledProgram } from '@rowtap/driver-testkit'
import { eventually, startProgram } from '@rowtap/driver-testkit'
import { describePostgres } from '@rowtap/driver-testkit/vitest'
import { expect, test } from 'vitest'
import { testHost, testSession, wanted } from '../testing/test-session.ts'

/** Starts a process with a subscription, which prints each id that it is delivered, and acknowledges up to one. */
function start(url: string, acknowledged: number): KilledProgram {
  return startProgram(new URL('../testing/durable-program.ts', import.meta.url), {
    ROWTAP_TEST_URL: url,
    ROWTAP_TEST_ACKNOWLEDGED: String(acknowledged),
  })
}

describePostgres('a process that is killed', (postgres) => {
  test('loses nothing, and what was not acknowledged comes again with its id', { timeout: 60_000 }, async () => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE t (id int PRIMARY KEY)')
    const seen: string[] = []
    let written = 0
    for (let round = 1; round <= 3; round += 1) {
      await using program = start(database.url, written)
      await eventually(() => program.lines.includes('live'), 'the process is live')
      for (let one = 0; one < 10; one += 1) {
        written += 1
        await database.query('INSERT INTO t VALUES ($1)', [written])
      }
      await eventually(() => program.lines.some((line) => line.startsWith(`${written} `)), 'the last insert')
      await program.kill()
      seen.push(...program.lines.filter((line) => line !== 'live'))
    }
    await using wal = await testSession({ connection: database.url, host: testHost({ name: 'billing' }) })
    await wal.session.capture([wanted('t')])
    await eventually(() => wal.changes.at(-1)?.new?.[0] === String(written), 'what was not acknowledged')
    seen.push(...wal.changes.map((change) => `${String(change.new?.[0])} ${change.id}`))
    const ids = new Map<string, Set<string>>()
    for (const line of seen) {
      const [number = '', id = ''] = line.split(' ')
      ids.set(number, (ids.get(number) ?? new Set()).add(id))
    }
    expect([...ids.keys()].toSorted((a, b) => Number(a) - Number(b))).toEqual(
      Array.from({ length: written }, (_, index) => String(index + 1)),
    )
    expect([...ids.values()].every(({ size }) => size === 1)).toBe(true)
  })

  test('is followed within five seconds by one that waits', { timeout: 60_000 }, async () => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE t (id int PRIMARY KEY)')
    const count = async (which: string): Promise<unknown> => {
      const own = `datname = current_database() AND pid <> pg_backend_pid()`
      const [row] = await database.query(
        `SELECT count(*)::int AS count FROM pg_stat_activity WHERE ${own} AND ${which}`,
      )
      return row?.['count']
    }
    await using first = start(database.url, 0)
    await eventually(() => first.lines.includes('live'), 'the first process is live')
    await using second = start(database.url, 0)
    await eventually(async () => (await count(`query LIKE '%advisory%'`)) === 1, 'the second process waits')
    // The server has but so many of these, and who waits has none.
    expect(await count(`application_name = 'rowtap changes'`)).toBe(1)
    await first.kill()
    const since = performance.now()
    await eventually(() => second.lines.includes('live'), 'the second process is live')
    expect(performance.now() - since).toBeLessThan(5000)
    await database.query('INSERT INTO t VALUES (1)')
    await eventually(() => second.lines.some((line) => line.startsWith('1 ')), 'an insert after the take-over')
  })
})
