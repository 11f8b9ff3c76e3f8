/**
 * Measures how long after they were written changes arrive: `node delay-consumer.ts <options as JSON>`. Prints `ready`,
 * and when it has seen everything the delays in milliseconds, in ascending order, as JSON.
 */
import { connect } from '@rowtap/core'
import { walDriver } from '@rowtap/driver-wal'
import pg from 'pg'
import type { Pgoutput } from 'pg-logical-replication'
import pgLogicalReplication from 'pg-logical-replication'
import postgres from 'postgres'
import type { DelayOptions } from './delay.ts'

const { kind, url, slot, publication, changes } = JSON.parse(process.argv[2] ?? '') as DelayOptions
const delays: number[] = []
const finished = Promise.withResolvers<void>()
await listen()
process.stdout.write('ready\n')
await finished.promise
process.stdout.write(`${JSON.stringify(delays.toSorted((one, other) => one - other))}\n`)

/** @param sent microseconds since 1970, by the server's clock, which is this machine's. */
function arrived(sent: unknown): void {
  delays.push(performance.timeOrigin + performance.now() - Number(sent) / 1000)
  if (delays.length === changes) finished.resolve()
}

async function listen(): Promise<void> {
  switch (kind) {
    case 'NOTIFY': {
      const client = new pg.Client({ connectionString: url })
      client.on('notification', ({ payload }) => arrived(payload))
      await client.connect()
      await client.query('LISTEN bench')
      return
    }
    case 'postgres.js': {
      const sql = postgres(url, { publications: publication })
      await sql.subscribe('*', (row) => arrived(row?.['sent']))
      return
    }
    case 'pg-logical-replication': {
      const service = new pgLogicalReplication.LogicalReplicationService(
        { connectionString: url },
        { acknowledge: { auto: false, timeoutSeconds: 0 } },
      )
      const started = Promise.withResolvers<void>()
      service.on('start', () => started.resolve())
      service.on('data', async (_lsn: string, message: Pgoutput.Message) => {
        if (message.tag === 'insert') arrived(message.new['sent'])
      })
      const plugin = new pgLogicalReplication.PgoutputPlugin({ protoVersion: 1, publicationNames: [publication] })
      service.subscribe(plugin, slot).catch((error: unknown) => started.reject(error))
      await started.promise
      return
    }
    case 'rowtap': {
      const client = await connect(walDriver({ connection: url }), { subscription: slot })
      const listener = client.listen<{ sent: string }>({ table: 'public.delays', operations: ['insert'] })
      listener.on('insert', async (event) => arrived(event.new.sent))
      await listener.ready
    }
  }
}
