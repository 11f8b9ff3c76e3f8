/**
 * vitest's global setup: one PostgreSQL server of each version for the whole run, started when the first test
 * file asks for it. A run without such a test file starts none.
 *
 * `globalSetup: ['@rowtap/driver-testkit/vitest/global-setup']`
 */
import { randomBytes } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:http'
import type { TestProject } from 'vitest/node'
import type { PostgresServer } from '../postgres/postgres-server.ts'
import { POSTGRES_VERSIONS } from '../postgres/postgres-server.ts'
import { startPostgres } from '../postgres/start-postgres.ts'
import type { SharedServerAnswer } from './shared-server.ts'
import { PROVIDED } from './shared-server.ts'

/** Called by vitest before the tests. Returns what it calls after them. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const servers = new Map<string, Promise<PostgresServer>>()
  // The answer holds a superuser's password: only who was told the path gets it.
  const secret = randomBytes(16).toString('hex')

  async function answerTo(path: string | undefined): Promise<SharedServerAnswer> {
    const [, told, wanted] = path?.split('/') ?? []
    if (told !== secret || wanted === undefined) return { kind: 'failed', message: 'not found' }
    const version = POSTGRES_VERSIONS.find((known) => String(known) === wanted)
    const server = servers.get(wanted) ?? startPostgres(version === undefined ? {} : { version })
    servers.set(wanted, server)
    try {
      const started = await server
      return { kind: 'server', source: started.source, version: started.version, url: started.url }
    } catch (error) {
      return { kind: 'failed', message: error instanceof Error ? error.message : String(error) }
    }
  }

  const listener = createServer((request: IncomingMessage, response: ServerResponse) => {
    void answerTo(request.url).then((answer) => response.end(JSON.stringify(answer)))
  })
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve))
  const address = listener.address()
  if (typeof address !== 'object' || address === null) throw new Error('the listener for test files has no address')
  project.provide(PROVIDED, `http://127.0.0.1:${address.port}/${secret}`)

  return async () => {
    listener.closeAllConnections()
    listener.close()
    const outcomes = await Promise.allSettled([...servers.values()].map(async (server) => (await server).stop()))
    // One that did not start has told its test file.
    for (const outcome of outcomes)
      if (outcome.status === 'rejected') project.vitest.logger.warn(String(outcome.reason))
  }
}
