import type { BenchDatabase } from './bench-database.ts'
import { createDatabase } from './bench-database.ts'
import type { ConsumerProcess } from './consumer-process.ts'
import { startConsumer } from './consumer-process.ts'
import { prepareRowtap } from './consumers/rowtap-consumer.ts'
import type { ConsumerKind, ConsumerOptions, ConsumerResult, Peer, Reading } from './peer.ts'
import type { PostgresPrograms } from './postgres-programs.ts'
import type { PrivateServer } from './private-server.ts'
import { cpuSecondsOf } from './process-usage.ts'
import { readWithRecvlogical } from './read-with-recvlogical.ts'
import type { Workload } from './workload.ts'
import { MARKER_TABLE } from './workload.ts'

const PUBLICATION = 'bench'

/** What readings need. */
export interface Surroundings {
  readonly server: PrivateServer
  /** `null`: what needs them is left out. */
  readonly programs: PostgresPrograms | null
}

/**
 * Writes a workload once, and has one peer after the other read it, alone. All of it is written before the first reads,
 * so that nobody waits for the writer.
 */
export async function readWorkload(
  { server, programs }: Surroundings,
  workload: Workload,
  peers: readonly Peer[],
): Promise<ReadonlyMap<Peer, Reading>> {
  await using database = await createDatabase(server)
  await database.query(MARKER_TABLE)
  for (const sql of workload.setUp) await database.query(sql)
  await database.query(`CREATE PUBLICATION ${PUBLICATION} FOR TABLE public.marker, public.${workload.table}`)
  const held = new Map<Peer, ConsumerProcess>()
  try {
    for (const peer of peers) {
      const consumer = await prepare(database, peer, workload)
      if (consumer !== null) held.set(peer, consumer)
    }
    for (const sql of workload.write) await database.query(sql)
    const end = String((await database.query('SELECT pg_current_wal_insert_lsn()::text AS lsn'))[0]?.['lsn'])
    const readings = new Map<Peer, Reading>()
    for (const peer of peers) {
      const options = { url: database.url, slot: slotOf(peer), publication: PUBLICATION, end }
      if (peer === 'pg_recvlogical') {
        if (programs === null) continue
        const reading = await readWithRecvlogical(programs.pg_recvlogical, options)
        readings.set(peer, { ...reading, senderCpuSeconds: null })
      } else {
        await using consumer = held.get(peer) ?? startConsumer('consumer.ts', optionsOf(database, peer, workload))
        consumer.release()
        const result = (await consumer.result) as ConsumerResult
        readings.set(peer, { ...result, senderCpuSeconds: await senderCpuSeconds(database, peer) })
      }
    }
    return readings
  } finally {
    for (const consumer of held.values()) await consumer[Symbol.asyncDispose]()
  }
}

/** Makes what holds the log for a peer. Who makes a slot of its own when it starts is started, and held still. */
async function prepare(database: BenchDatabase, peer: Peer, workload: Workload): Promise<ConsumerProcess | null> {
  switch (peer) {
    case 'pg_recvlogical':
    case 'pg-logical-replication':
    case 'pg-logical-replication, acknowledging':
      await database.query(`SELECT pg_create_logical_replication_slot($1, 'pgoutput')`, [slotOf(peer)])
      return null
    case 'postgres.js': {
      const consumer = startConsumer('consumer.ts', optionsOf(database, peer, workload))
      await consumer.ready
      consumer.hold()
      return consumer
    }
    default:
      await prepareRowtap(optionsOf(database, peer, workload))
      return null
  }
}

function optionsOf(database: BenchDatabase, kind: ConsumerKind, { table, rows }: Workload): ConsumerOptions {
  return { kind, url: database.url, table: `public.${table}`, publication: PUBLICATION, slot: slotOf(kind), rows }
}

function slotOf(peer: Peer): string {
  return `bench_${peer.replaceAll(/[^a-z0-9]+/gu, '_')}`
}

async function senderCpuSeconds(database: BenchDatabase, peer: Peer): Promise<number | null> {
  const isOf = peer === 'postgres.js' ? 'temporary AND slot_name LIKE $1' : 'slot_name LIKE $1'
  const name = peer === 'postgres.js' ? 'postgresjs%' : `%${slotOf(peer)}`
  const [row] = await database.query(
    `SELECT active_pid FROM pg_replication_slots WHERE database = current_database() AND ${isOf} AND active_pid IS NOT NULL`,
    [name],
  )
  return row === undefined ? null : await cpuSecondsOf(Number(row['active_pid']))
}
