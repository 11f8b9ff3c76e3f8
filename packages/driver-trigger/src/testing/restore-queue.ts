import type { TestDatabase } from '@rowtap/driver-testkit'
import { MIGRATIONS } from '../install/migrations.ts'

const TABLES = [
  'migration',
  'installation',
  'consumer',
  'tick',
  'wanted',
  'shape',
  'unsettled',
  'queue_1',
  'queue_2',
  'queue_3',
]
const SEQUENCES = ['state', 'sleep_until', 'shape_id', 'queue_seq', 'consumer_id_seq']

/** A snapshot with other transaction ids, in SQL. */
function shifted(snapshot: string): string {
  return `(
    pg_snapshot_xmin(${snapshot})::text::bigint + $1 || ':' || pg_snapshot_xmax(${snapshot})::text::bigint + $1 || ':' ||
    coalesce((SELECT string_agg((x::text::bigint + $1)::text, ',' ORDER BY x) FROM pg_snapshot_xip(${snapshot}) x), '')
  )::pg_snapshot`
}

/**
 * Puts the queue of a database into another one, as `pg_dump` and `psql` do: its schema, what is in it, and its triggers on
 * tables of the same names, which are there, and have the same numbers, as they may on young servers.
 *
 * @param ahead how many transaction ids more the server of the dump had given out.
 */
export async function restoreQueue(from: TestDatabase, to: TestDatabase, ahead: number): Promise<void> {
  for (const migration of MIGRATIONS) await to.query(migration.text('rowtap'))
  for (const table of TABLES) {
    const [dump] = await from.query(
      `SELECT coalesce(jsonb_agg(to_jsonb(r)), '[]')::text AS rows FROM rowtap.${table} r`,
    )
    await to.query(`DELETE FROM rowtap.${table}`)
    await to.query(
      `INSERT INTO rowtap.${table} OVERRIDING SYSTEM VALUE SELECT * FROM jsonb_populate_recordset(NULL::rowtap.${table}, $1)`,
      [dump?.['rows']],
    )
  }
  for (const sequence of SEQUENCES) {
    const [dump] = await from.query(`SELECT last_value::text AS value, is_called AS called FROM rowtap.${sequence}`)
    await to.query(`SELECT setval('rowtap.${sequence}', $1, $2)`, [dump?.['value'], dump?.['called']])
  }
  for (const table of ['queue_1', 'queue_2', 'queue_3', 'unsettled']) {
    await to.query(`UPDATE rowtap.${table} SET xid = (xid::text::bigint + $1)::text::xid8`, [ahead])
  }
  await to.query(`UPDATE rowtap.consumer SET place = ${shifted('place')}`, [ahead])
  await to.query(`UPDATE rowtap.tick SET ordinal = ordinal + $1, snapshot = ${shifted('snapshot')}`, [ahead])
  const tables = await from.query(
    `SELECT DISTINCT relation::regclass::text AS name, relation::text AS oid FROM rowtap.wanted`,
  )
  for (const { name, oid } of tables) {
    await to.query(`UPDATE rowtap.wanted SET relation = $1::regclass WHERE relation = $2::oid`, [name, oid])
    for (const table of ['queue_1', 'queue_2', 'queue_3', 'shape']) {
      await to.query(`UPDATE rowtap.${table} SET root = $1::regclass WHERE root = $2::oid`, [name, oid])
    }
  }
  const functions = await from.query(
    `SELECT pg_get_functiondef(oid) AS definition FROM pg_proc WHERE pronamespace = 'rowtap'::regnamespace AND proname LIKE 'capture %'`,
  )
  for (const { definition } of functions) await to.query(String(definition))
  const triggers = await from.query(
    `SELECT pg_get_triggerdef(oid) AS definition FROM pg_trigger WHERE tgname LIKE '!rowtap%' AND tgparentid = 0`,
  )
  for (const { definition } of triggers) await to.query(String(definition))
}
