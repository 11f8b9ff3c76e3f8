import { describe, test } from 'vitest'
import type { RunChaosOptions } from '../chaos/run-chaos.ts'
import { runChaos } from '../chaos/run-chaos.ts'
import { runTakeOver } from '../chaos/run-take-over.ts'
import { installedVersions } from '../postgres/embedded-binaries.ts'
import type { PostgresVersion, StartPostgresOptions } from '../postgres/postgres-server.ts'
import { startPostgres } from '../postgres/start-postgres.ts'
import { postgresVersions } from './postgres-versions.ts'

/** What {@link describeChaos} takes. */
export interface DescribeChaosOptions extends Pick<RunChaosOptions, 'module' | 'nodeArguments'> {
  /** How many misfortunes happen where `ROWTAP_CHAOS_ROUNDS` does not say it. Default: 10. */
  readonly rounds?: number
}

const DEFAULT_ROUNDS = 10
/** For one misfortune and what comes of it, also where the machine is busy with much else. */
const ROUND_TIMEOUT_MS = 30_000
const BASE_TIMEOUT_MS = 120_000
/** Small, so that the server writes large transactions to its disk, or sends them while they are open. */
const SETTINGS = { logical_decoding_work_mem: '64kB' }

/**
 * Describes that a driver's durable subscriptions survive: their process is killed, their connections are terminated, cut
 * and frozen, and their server, one of the test's own, is restarted. On every PostgreSQL version of the run.
 *
 * `ROWTAP_CHAOS_ROUNDS` says how many times, `ROWTAP_CHAOS_SEED` what everything random follows from: by default another
 * number each time.
 */
export function describeChaos(name: string, options: DescribeChaosOptions): void {
  const rounds = Number(process.env['ROWTAP_CHAOS_ROUNDS'] ?? options.rounds ?? DEFAULT_ROUNDS)
  const seed = Number(process.env['ROWTAP_CHAOS_SEED'] ?? Math.floor(Math.random() * 1_000_000))
  for (const version of postgresVersions()) {
    describe(`${name} (PostgreSQL${version === null ? '' : ` ${version}`})`, () => {
      const timeout = BASE_TIMEOUT_MS + rounds * ROUND_TIMEOUT_MS
      const withDatabase = async (run: (given: RunChaosOptions) => Promise<object>): Promise<void> => {
        await using server = await startPostgres(serverOptions(version))
        await using database = await server.createDatabase()
        const { module, nodeArguments = [] } = options
        try {
          report(`${name}, seed ${seed}`, await run({ database, module, nodeArguments, seed, rounds }))
        } catch (error) {
          const reason = error instanceof Error ? error.message : String(error)
          throw new Error(`with ROWTAP_CHAOS_SEED=${seed} ROWTAP_CHAOS_ROUNDS=${rounds}: ${reason}`, { cause: error })
        }
      }
      test(`keeps its promises through ${rounds} misfortunes`, { timeout }, () => withDatabase(runChaos))
      const takeOvers = Math.min(Math.ceil(rounds / 3), 10)
      test(`is taken over ${takeOvers} times by a process that waits`, { timeout }, () =>
        withDatabase((given) => runTakeOver({ ...given, rounds: takeOvers })),
      )
    })
  }
}

/** A server of the environment, or in Docker, is used as it is: it is not restarted. */
function serverOptions(version: PostgresVersion | null): StartPostgresOptions {
  if (version === null) return {}
  const isInstalled = installedVersions().includes(version)
  return isInstalled ? { version, settings: SETTINGS, sources: ['embedded'] } : { version }
}

/** What was done, for whoever looks on. */
function report(what: string, done: object): void {
  process.stdout.write(`${what}: ${JSON.stringify(done)}\n`)
}
