import pgLogicalReplication from 'pg-logical-replication'
import type { Pgoutput } from 'pg-logical-replication'
import type { ConsumerOptions } from '../peer.ts'
import type { WorkloadClock } from './workload-clock.ts'

/** Reads with pg-logical-replication: resolves when the stream has been asked for. */
export async function consumeWithPgLogicalReplication(options: ConsumerOptions, clock: WorkloadClock): Promise<void> {
  const { LogicalReplicationService, PgoutputPlugin } = pgLogicalReplication
  const isAcknowledging = options.kind === 'pg-logical-replication, acknowledging'
  const service = new LogicalReplicationService(
    { connectionString: options.url },
    { acknowledge: { auto: isAcknowledging, timeoutSeconds: isAcknowledging ? 10 : 0 } },
  )
  service.on('data', async (_lsn: string, message: Pgoutput.Message) => {
    if (message.tag !== 'insert' && message.tag !== 'update' && message.tag !== 'delete') return
    if (message.relation.name === 'marker') clock.marker(message.tag === 'insert' ? message.new['id'] : null)
    else clock.row()
  })
  const started = Promise.withResolvers<void>()
  service.on('start', () => started.resolve())
  service.on('error', (error) => started.reject(error))
  const plugin = new PgoutputPlugin({ protoVersion: 1, publicationNames: [options.publication] })
  // Ends with the process.
  service.subscribe(plugin, options.slot).catch((error: unknown) => started.reject(error))
  await started.promise
}
