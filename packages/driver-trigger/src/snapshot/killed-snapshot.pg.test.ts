import type { TestDatabase } from '@rowtap/driver-testkit'
import { eventually, startProgram } from '@rowtap/driver-testkit'
import { describePostgres } from '@rowtap/driver-testkit/vitest'
import { expect, test } from 'vitest'

const PROGRAM = new URL('../testing/snapshot-program.ts', import.meta.url)
const ROWS = 60_000

interface Program extends AsyncDisposable {
  /** What it has printed, in order. */
  readonly lines: readonly unknown[]
  readonly kill: () => Promise<void>
}

function start(url: string, events: number): Program {
  const program = startProgram(PROGRAM, { ROWTAP_TEST_URL: url, ROWTAP_TEST_EVENTS: String(events) })
  const lines: unknown[] = []
  return {
    get lines() {
      for (const line of program.lines.slice(lines.length)) lines.push(JSON.parse(line))
      return lines
    },
    kill: () => program.kill(),
    [Symbol.asyncDispose]: () => program.kill(),
  }
}

/** How far the progress that is kept says that the rows were read: the last key, 0 where none was. */
async function keptUpTo(database: TestDatabase): Promise<number> {
  const [installed] = await database.query(`SELECT to_regclass('rowtap.consumer') IS NOT NULL AS is`)
  if (installed?.['is'] !== true) return 0
  const rows = await database.query('SELECT progress FROM rowtap.consumer')
  const keys = rows.flatMap((row) => [...String(row['progress']).matchAll(/"upTo":\["(\d+)"\],"read":true/gu)])
  return Math.max(0, ...keys.map(([, key]) => Number(key)))
}

function idsRead(lines: readonly unknown[]): number[] {
  return lines.flatMap((line) => (Array.isArray(line) && line[0] === 'snapshot' ? [Number(line[1])] : []))
}

describePostgres('a process that is killed while it reads', (postgres) => {
  test('goes on where it was, and what it has told is the table', { timeout: 120_000 }, async () => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE t (id int PRIMARY KEY, v text)')
    await database.query(`INSERT INTO t SELECT i, 'old' FROM generate_series(1, ${ROWS}) i`)
    const told: unknown[] = []
    let kept = 0
    for (let round = 0; round < 2; round += 1) {
      await using program = start(database.url, ROWS / 3)
      await eventually(() => idsRead(program.lines).length > ROWS / 6, 'many rows', { timeoutMs: 30_000 })
      await eventually(async () => (await keptUpTo(database)) > 0, 'progress that is kept', { timeoutMs: 30_000 })
      await database.query(`
        UPDATE t SET v = 'changed ${round}' WHERE id % 50 = ${round};
        DELETE FROM t WHERE id % 50 = ${round + 10};
        UPDATE t SET id = ${ROWS} + id WHERE id % 50 = ${round + 20} AND id <= ${ROWS};
        UPDATE t SET id = -id WHERE id % 50 = ${round + 30}`)
      await program.kill()
      await database.query(`DELETE FROM t WHERE id % 50 = ${round + 40}`)
      if (round > 0) expect(idsRead(program.lines)[0]).toBeGreaterThan(1)
      told.push(...program.lines)
      kept = await keptUpTo(database)
    }
    await using last = start(database.url, Infinity)
    await eventually(() => last.lines.includes('done'), 'the last row', { timeoutMs: 60_000 })
    await database.query(`INSERT INTO t VALUES (1000000, 'last')`)
    await eventually(() => JSON.stringify(last.lines.at(-1)).includes('1000000'), 'the last change')
    await last.kill()
    expect(idsRead(last.lines).find((id) => id > 0) ?? ROWS).toBeGreaterThan(kept)
    told.push(...last.lines)
    const rows = new Map<number, unknown>()
    for (const line of told) {
      if (!Array.isArray(line)) continue
      if (line[0] === 'delete') rows.delete(Number(line[1]))
      else rows.set(Number(line[1]), line[2])
    }
    const table = await database.query('SELECT id, v FROM t ORDER BY id')
    expect([...rows].toSorted(([one], [other]) => one - other)).toEqual(table.map((row) => [row['id'], row['v']]))
  })
})
