import { RowtapError } from '@rowtap/core/driver'
import { afterAll, beforeAll, describe, inject } from 'vitest'
import type { PostgresServer, PostgresVersion } from '../postgres/postgres-server.ts'
import { postgresServer, startPostgres } from '../postgres/start-postgres.ts'
import type { CreateDatabaseOptions, TestDatabase } from '../postgres/test-database.ts'
import { postgresVersions } from './postgres-versions.ts'
import type { SharedServerAnswer } from './shared-server.ts'
import { PROVIDED } from './shared-server.ts'

const START_TIMEOUT_MS = 120_000

/** The server of one `describe`. Its members may be used once the tests run, not while they are collected. */
export interface PostgresUnderTest {
  /** The server's major version. */
  readonly version: number
  readonly server: PostgresServer
  /** Creates a database of the test's own. Dispose of it: `await using database = await postgres.createDatabase()`. */
  createDatabase(options?: CreateDatabaseOptions): Promise<TestDatabase>
}

/**
 * Describes behaviour on real PostgreSQL: `body` is run once for each version of the run ({@link postgresVersions}).
 *
 * All test files of a run share the servers where vitest's `globalSetup` has
 * `@rowtap/driver-testkit/vitest/global-setup`; without it each `describe` starts and stops one of its own.
 *
 * @param versions Default: those of the run.
 */
export function describePostgres(
  name: string,
  body: (postgres: PostgresUnderTest) => void,
  versions: readonly (PostgresVersion | null)[] = postgresVersions(),
): void {
  for (const version of versions) {
    describe(`${name} (PostgreSQL${version === null ? '' : ` ${version}`})`, () => {
      let server: PostgresServer | undefined
      beforeAll(async () => {
        server = await acquireServer(version)
      }, START_TIMEOUT_MS)
      afterAll(() => server?.stop())

      const running = (): PostgresServer => {
        if (server !== undefined) return server
        throw new RowtapError('ERR_CLOSED', {
          message: 'The PostgreSQL server is there once the tests run: use it inside test() or a hook.',
        })
      }
      body({
        get version() {
          return running().version
        },
        get server() {
          return running()
        },
        createDatabase: (options) => running().createDatabase(options),
      })
    })
  }
}

async function acquireServer(version: PostgresVersion | null): Promise<PostgresServer> {
  const shared = inject(PROVIDED)
  // Typed as always there; without the global setup it is not.
  if (typeof shared !== 'string') return startPostgres(version === null ? {} : { version })
  const response = await fetch(`${shared}/${version ?? 'any'}`)
  const answer = (await response.json()) as SharedServerAnswer
  if (answer.kind === 'failed') throw new RowtapError('ERR_SETUP_REQUIRED', { message: answer.message })
  // It belongs to the whole run: whoever stops it here stops nothing.
  return postgresServer({
    source: answer.source,
    version: answer.version,
    url: answer.url,
    stop: () => Promise.resolve(),
  })
}
