import { RowtapError } from '@rowtap/core'
import type { PostgresServer } from '@rowtap/driver-testkit'

/**
 * Starts a PostgreSQL of the demo's own in a temporary directory. It is gone when the demo ends, in whatever way.
 *
 * @throws RowtapError ERR_SETUP_REQUIRED where the package that can do it is not installed; ERR_ABORTED.
 */
export async function startDemoServer(signal: AbortSignal): Promise<PostgresServer> {
  const { startPostgres } = await loadTestkit()
  // Commit times are what delays are measured from.
  return startPostgres({ sources: ['embedded'], settings: { track_commit_timestamp: 'on' }, signal })
}

async function loadTestkit(): Promise<typeof import('@rowtap/driver-testkit')> {
  try {
    return await import('@rowtap/driver-testkit')
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error) || error.code !== 'ERR_MODULE_NOT_FOUND') throw error
    throw new RowtapError('ERR_SETUP_REQUIRED', {
      message: 'The demo needs a PostgreSQL of its own. Run: npm install @rowtap/driver-testkit',
      cause: error,
    })
  }
}
