import { eventually, startProgram } from '@rowtap/driver-testkit'
import { describePostgres } from '@rowtap/driver-testkit/vitest'
import { expect, test } from 'vitest'

const PROGRAM = new URL('../testing/signal-program.ts', import.meta.url)
const ROUNDS = 4
const WRITES = 40

describePostgres('a process with a subscription to signals that is killed', (postgres) => {
  test(
    'is followed by one that is told of what was written last, whenever that was',
    { timeout: 120_000 },
    async () => {
      await using database = await postgres.createDatabase()
      await database.query('CREATE TABLE t (id int PRIMARY KEY)')
      let written = 0
      const write = async (): Promise<void> => {
        written += 1
        await database.query('INSERT INTO t VALUES ($1)', [written])
      }
      for (let round = 1; round <= ROUNDS; round += 1) {
        await using program = startProgram(PROGRAM, { ROWTAP_TEST_URL: database.url })
        await eventually(() => program.lines.includes('live'), 'the process is live')
        // Nobody writes any more: what it is told is what the one before it was not.
        await eventually(() => written === 0 || program.lines.includes(String(written)), 'it has read the last row')
        const before = program.lines.length
        let killed: Promise<void> | null = null
        for (let one = 0; one < WRITES; one += 1) {
          await write()
          // In the first round while it is told for the first time, in later ones after more and more.
          if (killed === null && program.lines.length >= before + round) killed = program.kill()
        }
        await eventually(() => killed !== null || program.lines.length > before, 'it is told')
        await (killed ?? program.kill())
        await write()
      }
      await using last = startProgram(PROGRAM, { ROWTAP_TEST_URL: database.url })
      await eventually(() => last.lines.includes(String(written)), 'the last one has read the last row')
      expect(await database.query('SELECT count(*)::int AS count FROM t')).toEqual([{ count: written }])
    },
  )
})
