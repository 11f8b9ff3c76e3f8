import type { TestDatabase } from '../postgres/test-database.ts'
import type { Random } from '../tools/seeded-random.ts'
import type { TcpProxy } from '../tools/tcp-proxy.ts'
import type { Consumers } from './consumers.ts'
import { withConnection } from './ledger.ts'
import type { Outages } from './outages.ts'

const KINDS = [
  'kill',
  'kill twice',
  'close',
  'terminate one',
  'terminate all',
  'cut',
  'freeze',
  'freeze and kill',
  'restart fast',
  'restart immediate',
] as const

/** What can happen to a consumer. */
export type Misfortune = (typeof KINDS)[number]

/** What a misfortune happens to. */
export interface Stage {
  readonly database: TestDatabase
  readonly proxy: TcpProxy
  readonly consumers: Consumers
  readonly outages: Outages
  readonly random: Random
  /** Resolves when the writers have committed so many more transactions. */
  committed(transactions: number): Promise<void>
}

/** Draws what happens in each round: every kind in turn, in an order of its own each time. */
export function drawMisfortunes(random: Random, rounds: number, canRestart: boolean): readonly Misfortune[] {
  const drawn: Misfortune[] = []
  while (drawn.length < rounds) {
    const left = KINDS.filter((kind) => canRestart || !kind.startsWith('restart'))
    while (left.length > 0) drawn.push(...left.splice(random.integer(left.length), 1))
  }
  return drawn.slice(0, rounds)
}

/** Lets it happen. When this resolves, nothing stands in the way of a consumer any more. */
export const MISFORTUNES: Readonly<Record<Misfortune, (stage: Stage) => Promise<void>>> = {
  async kill({ consumers }) {
    await consumers.newest.kill()
    consumers.start()
  },
  async 'kill twice'(stage) {
    const { consumers } = stage
    await consumers.newest.kill()
    consumers.start()
    // Somewhere between its first steps and its first changes.
    await stage.committed(stage.random.integer(150))
    await consumers.newest.kill()
    consumers.start()
  },
  async close({ consumers }) {
    await consumers.newest.close()
    consumers.start()
  },
  'terminate one': (stage) =>
    terminate(stage, (processIds) => [processIds[stage.random.integer(processIds.length)] ?? 0]),
  'terminate all': (stage) => terminate(stage, (processIds) => processIds),
  async cut({ proxy }) {
    proxy.cut()
  },
  async freeze(stage) {
    stage.proxy.freeze()
    await stage.committed(stage.random.pick([5, 50, 500]))
    stage.proxy.thaw()
  },
  async 'freeze and kill'(stage) {
    const { proxy, consumers, random } = stage
    proxy.freeze()
    await stage.committed(random.integer(50))
    await consumers.newest.kill()
    consumers.start()
    await stage.committed(random.integer(100))
    proxy.thaw()
  },
  'restart fast': ({ outages, database }) => outages.during(() => database.server.restart('fast')),
  'restart immediate': ({ outages, database }) => outages.during(() => database.server.restart('immediate')),
}

const CONSUMER_PROCESSES = `
SELECT pid FROM pg_catalog.pg_stat_activity
WHERE datname = pg_catalog.current_database() AND application_name <> 'rowtap-testkit'
  AND backend_type IN ('client backend', 'walsender')
ORDER BY backend_start`
const TERMINATE = `SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.unnest($1::int[]) AS pid`

async function terminate(
  { database }: Stage,
  choose: (processIds: readonly number[]) => readonly number[],
): Promise<void> {
  await withConnection(database, async (connection) => {
    const { rows } = await connection.query<{ readonly pid: number }>(CONSUMER_PROCESSES)
    await connection.query(TERMINATE, [choose(rows.map(({ pid }) => pid))])
  })
}
