import type { Client } from 'pg'
import type { TestDatabase } from '../postgres/test-database.ts'
import type { Random } from './seeded-random.ts'
import { seededRandom } from './seeded-random.ts'

/** How a workload is run. */
export interface WorkloadOptions {
  readonly database: TestDatabase
  readonly seed: number
  /** Connections that write at once. Default: 4. */
  readonly writers?: number
  /** Transactions of each writer. */
  readonly transactions: number
  /** Whether tables are truncated now and then. */
  readonly truncate: boolean
}

/** What a workload did. */
export interface WorkloadReport {
  readonly committed: number
  readonly rolledBack: number
}

/** The table that a workload writes to. */
export const WORKLOAD_TABLE = 'public.accounts'

const CREATE_WORKLOAD_TABLE = `
  CREATE TABLE public.accounts (
    id int PRIMARY KEY,
    owner text,
    balance numeric NOT NULL DEFAULT 0,
    note text,
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp()
  )`

/** Ids are few, so that writers meet on the same rows. */
const IDS = 60
/** What may go wrong between writers that know nothing of each other: a key that exists, a deadlock. */
const EXPECTED_ERRORS = ['23505', '40P01']

/** Creates the empty table of a workload. */
export async function createWorkloadTable(database: TestDatabase, identity: 'FULL' | 'DEFAULT'): Promise<void> {
  await database.query(CREATE_WORKLOAD_TABLE)
  await database.query(`ALTER TABLE public.accounts REPLICA IDENTITY ${identity}`)
}

/**
 * Several connections write to one table at once: inserts, updates, deletes and key changes of one row and of many,
 * upserts, savepoints that are rolled back, large values, truncation. Each writer's statements follow from the seed.
 *
 * Rejects where a statement fails that would not fail without capturing.
 */
export async function runWorkload(options: WorkloadOptions): Promise<WorkloadReport> {
  const { writers = 4 } = options
  const reports = await Promise.all(
    Array.from({ length: writers }, (_, writer) => runWriter(options, seededRandom(options.seed * 1000 + writer))),
  )
  return {
    committed: reports.reduce((sum, report) => sum + report.committed, 0),
    rolledBack: reports.reduce((sum, report) => sum + report.rolledBack, 0),
  }
}

async function runWriter(options: WorkloadOptions, random: Random): Promise<WorkloadReport> {
  const client = await options.database.connect()
  // Writers that meet in a circle are not to wait for a second each time.
  await client.query(`SET deadlock_timeout = '10ms'`)
  let committed = 0
  for (let count = 0; count < options.transactions; count += 1) {
    if (await runTransaction(client, random, options.truncate)) committed += 1
  }
  await client.end()
  return { committed, rolledBack: options.transactions - committed }
}

/** Runs one transaction. False: it was rolled back. */
async function runTransaction(client: Client, random: Random, truncate: boolean): Promise<boolean> {
  await client.query('BEGIN')
  try {
    const statements = 1 + random.integer(4)
    for (let count = 0; count < statements; count += 1) {
      const savepoint = random.chance(0.25)
      if (savepoint) await client.query('SAVEPOINT s')
      await client.query(randomStatement(random, truncate))
      if (savepoint) await client.query(random.chance(0.5) ? 'ROLLBACK TO s' : 'RELEASE s')
    }
    const commit = random.chance(0.9)
    await client.query(commit ? 'COMMIT' : 'ROLLBACK')
    return commit
  } catch (error) {
    await client.query('ROLLBACK')
    if (error instanceof Error && 'code' in error && EXPECTED_ERRORS.includes(String(error.code))) return false
    throw error
  }
}

function randomStatement(random: Random, truncate: boolean): string {
  const id = 1 + random.integer(IDS)
  const other = 1 + random.integer(IDS)
  if (truncate && random.chance(0.01)) return 'TRUNCATE public.accounts'
  const large = `repeat(md5('${id}.${other}'), 100 + ${other})`
  return random.pick([
    `INSERT INTO public.accounts (id, owner, note) VALUES (${id}, 'owner ${other}', 'new') ON CONFLICT DO NOTHING`,
    `INSERT INTO public.accounts (id, owner) VALUES (${id}, NULL) ON CONFLICT (id) DO UPDATE SET balance = accounts.balance + 1, owner = excluded.owner`,
    `INSERT INTO public.accounts (id, owner, note) SELECT i, 'many', ${large} FROM generate_series(${id}, ${id + 5}) i ON CONFLICT DO NOTHING`,
    `INSERT INTO public.accounts (id, note) VALUES (${id}, ${large}) ON CONFLICT (id) DO UPDATE SET note = excluded.note`,
    `UPDATE public.accounts SET balance = balance + ${other}.25, changed_at = clock_timestamp() WHERE id = ${id}`,
    `UPDATE public.accounts SET note = 'range' WHERE id BETWEEN ${id} AND ${id + 4}`,
    `UPDATE public.accounts SET owner = owner WHERE id = ${id}`,
    `UPDATE public.accounts SET id = ${other} WHERE id = ${id}`,
    `UPDATE public.accounts SET id = id + 1000 WHERE id = ${id}`,
    `UPDATE public.accounts SET id = id - 1000 WHERE id = ${id + 1000}`,
    `DELETE FROM public.accounts WHERE id = ${id}`,
    `DELETE FROM public.accounts WHERE id BETWEEN ${id} AND ${id + 2}`,
  ])
}
