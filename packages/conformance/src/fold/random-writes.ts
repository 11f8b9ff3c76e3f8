import type { Random, TestDatabase } from '@rowtap/driver-testkit'
import { seededRandom } from '@rowtap/driver-testkit'

/** What is written, and for how long. */
export interface RandomWrites {
  readonly database: TestDatabase
  /** A table with an integer primary key `id`. */
  readonly table: string
  /** The other columns, each with the values to write into it, as SQL. */
  readonly columns: readonly WrittenColumn[]
  readonly seed: number
  /** Connections that write at once. */
  readonly writers: number
  readonly durationMs: number
}

/** A column with the values to write into it, as SQL. */
export interface WrittenColumn {
  readonly name: string
  readonly values: readonly [string, ...string[]]
}

/** Ids are few, so that writers meet on the same rows. */
const IDS = 60
/** Ids below this are moved above it, and back. */
const FAR = 1000
/** What may go wrong between writers that know nothing of each other: a key that exists, a deadlock. */
const EXPECTED_ERRORS = ['23505', '40P01']

/**
 * Several connections write to one table at once: inserts, upserts, updates, deletes and key changes of one row and of
 * many, savepoints that are rolled back, truncation. Resolves with how many transactions committed.
 *
 * Rejects where a statement fails that would not fail without capturing.
 */
export async function randomWrites(writes: RandomWrites): Promise<number> {
  const end = performance.now() + writes.durationMs
  const committed = await Promise.all(
    Array.from({ length: writes.writers }, (_, writer) =>
      runWriter(writes, seededRandom(writes.seed * 1000 + writer), end),
    ),
  )
  return committed.reduce((sum, count) => sum + count, 0)
}

type Connection = Awaited<ReturnType<TestDatabase['connect']>>

async function runWriter(writes: RandomWrites, random: Random, end: number): Promise<number> {
  const connection = await writes.database.connect()
  // Writers that meet in a circle are not to wait for a second each time.
  await connection.query(`SET deadlock_timeout = '10ms'`)
  let committed = 0
  while (performance.now() < end) {
    if (await runTransaction(connection, writes, random)) committed += 1
  }
  await connection.end()
  return committed
}

/** Runs one transaction. False: it was rolled back. */
async function runTransaction(connection: Connection, writes: RandomWrites, random: Random): Promise<boolean> {
  // Some transactions change one row again and again.
  const onlyId = random.chance(0.3) ? 1 + random.integer(IDS) : null
  await connection.query('BEGIN')
  try {
    const statements = 1 + random.integer(4)
    for (let count = 0; count < statements; count += 1) {
      const savepoint = random.chance(0.25)
      if (savepoint) await connection.query('SAVEPOINT s')
      await connection.query(randomStatement(writes, random, onlyId))
      if (savepoint) await connection.query(random.chance(0.5) ? 'ROLLBACK TO s' : 'RELEASE s')
    }
    const commit = random.chance(0.9)
    await connection.query(commit ? 'COMMIT' : 'ROLLBACK')
    return commit
  } catch (error) {
    await connection.query('ROLLBACK')
    if (error instanceof Error && 'code' in error && EXPECTED_ERRORS.includes(String(error.code))) return false
    throw error
  }
}

function randomStatement({ table, columns }: RandomWrites, random: Random, onlyId: number | null): string {
  if (random.chance(0.002)) return `TRUNCATE ${table}`
  const id = onlyId ?? 1 + random.integer(IDS)
  const other = 1 + random.integer(IDS)
  const some = columns.filter(() => random.chance(0.3))
  const assignments = some.map(({ name, values }) => `${name} = ${random.pick(values)}`)
  const changes = assignments.length === 0 ? 'id = it.id' : assignments.join(', ')
  const names = ['id', ...columns.map(({ name }) => name)].join(', ')
  const values = columns.map((column) => random.pick(column.values)).join(', ')
  const insert = `INSERT INTO ${table} AS it (${names})`
  return random.pick([
    `${insert} VALUES (${id}, ${values}) ON CONFLICT DO NOTHING`,
    `${insert} VALUES (${id}, ${values}) ON CONFLICT (id) DO UPDATE SET ${changes}`,
    `${insert} SELECT i, ${values} FROM generate_series(${id}, ${id + 5}) AS i ON CONFLICT DO NOTHING`,
    `UPDATE ${table} AS it SET ${changes} WHERE id = ${id}`,
    `UPDATE ${table} AS it SET ${changes} WHERE id IN (${id}, ${other})`,
    `UPDATE ${table} AS it SET ${changes} WHERE id BETWEEN ${id} AND ${id + 4}`,
    `UPDATE ${table} AS it SET id = id WHERE id = ${id}`,
    `UPDATE ${table} AS it SET id = ${other} WHERE id = ${id}`,
    `UPDATE ${table} AS it SET ${[`id = ${other}`, ...assignments].join(', ')} WHERE id = ${id}`,
    `UPDATE ${table} AS it SET id = id + ${FAR} WHERE id = ${id}`,
    `UPDATE ${table} AS it SET id = id - ${FAR} WHERE id = ${id + FAR}`,
    `DELETE FROM ${table} WHERE id = ${id}`,
    `DELETE FROM ${table} WHERE id BETWEEN ${id} AND ${id + 2}`,
  ])
}
