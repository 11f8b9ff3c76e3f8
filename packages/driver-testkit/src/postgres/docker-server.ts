import { existsSync } from 'node:fs'
import type { StartPostgresOptions } from './postgres-server.ts'
import type { ServerHandle } from './server-handle.ts'
import { SERVER_SETTINGS } from './server-settings.ts'

const PASSWORD = 'rowtap'

/** Starts a server in a container, where Docker answers and `testcontainers` is installed; otherwise `null`. */
export async function startDockerServer(version: number, options: StartPostgresOptions): Promise<ServerHandle | null> {
  // testcontainers takes half a second to load: not without a hint that there is an engine.
  if (process.env['DOCKER_HOST'] === undefined && !existsSync('/var/run/docker.sock')) return null
  const testcontainers = await load()
  if (testcontainers === null || !(await answers(testcontainers))) return null
  const { GenericContainer, Wait } = testcontainers
  const settings = Object.entries({ ...SERVER_SETTINGS, ...options.settings }).flatMap(([name, value]) => [
    '-c',
    `${name}=${value}`,
  ])
  const container = await new GenericContainer(`postgres:${version}-alpine`)
    .withEnvironment({ POSTGRES_PASSWORD: PASSWORD, POSTGRES_INITDB_ARGS: '--no-sync --encoding=UTF8' })
    .withCommand(['postgres', ...settings])
    .withExposedPorts(5432)
    // The image's first server only sets up; the second one stays.
    .withWaitStrategy(Wait.forLogMessage(/database system is ready to accept connections/u, 2))
    .start()
  return {
    source: 'docker',
    version,
    url: `postgresql://postgres:${PASSWORD}@${container.getHost()}:${container.getMappedPort(5432)}/postgres`,
    async stop() {
      await container.stop()
    },
  }
}

type Testcontainers = typeof import('testcontainers')

async function load(): Promise<Testcontainers | null> {
  try {
    return await import('testcontainers')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND') return null
    throw error
  }
}

async function answers(testcontainers: Testcontainers): Promise<boolean> {
  try {
    await testcontainers.getContainerRuntimeClient()
    return true
  } catch {
    // Its only way to say that no engine answers. The next source is tried, or the caller is told.
    return false
  }
}
