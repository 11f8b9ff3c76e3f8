/**
 * Reads one workload in a process of its own: `node consumer.ts <options as JSON>`. Prints `ready` when it reads, the
 * result as JSON when it has seen everything, and ends when its standard input does.
 */
import { once } from 'node:events'
import { consumeWithPgLogicalReplication } from './consumers/pg-logical-replication-consumer.ts'
import { consumeWithPostgresJs } from './consumers/postgres-js-consumer.ts'
import { consumeWithRowtap } from './consumers/rowtap-consumer.ts'
import { WorkloadClock } from './consumers/workload-clock.ts'
import type { ConsumerOptions } from './peer.ts'

const options = JSON.parse(process.argv[2] ?? '') as ConsumerOptions
const clock = new WorkloadClock(options.kind === 'rowtap, nothing wanted' ? 0 : options.rows)
await consume()
process.stdout.write('ready\n')
process.stdout.write(`${JSON.stringify(await clock.finished)}\n`)
process.stdin.resume()
await once(process.stdin, 'end')
process.exit()

function consume(): Promise<void> {
  switch (options.kind) {
    case 'postgres.js':
      return consumeWithPostgresJs(options, clock)
    case 'pg-logical-replication':
    case 'pg-logical-replication, acknowledging':
      return consumeWithPgLogicalReplication(options, clock)
    default:
      return consumeWithRowtap(options, clock)
  }
}
