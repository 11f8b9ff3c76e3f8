import postgres from 'postgres'
import type { ConsumerOptions } from '../peer.ts'
import type { WorkloadClock } from './workload-clock.ts'

/** Reads with postgres.js: resolves when its slot is there. It makes one of its own, from now on. */
export async function consumeWithPostgresJs(options: ConsumerOptions, clock: WorkloadClock): Promise<void> {
  const sql = postgres(options.url, { publications: options.publication })
  await sql.subscribe('*', (row, { relation }) => {
    if (relation.table === 'marker') clock.marker(row?.['id'])
    else clock.row()
  })
}
