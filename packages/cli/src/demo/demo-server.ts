import type { PostgresServer } from '@rowtap/driver-testkit'

/**
 * Starts a PostgreSQL of the demo's own in a temporary directory. It is gone when the demo ends, in whatever way.
 *
 * @throws Error where the package that can do it is not installed; RowtapError ERR_ABORTED, ERR_SETUP_REQUIRED.
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
    throw new Error('the demo needs a PostgreSQL of its own: npm install @rowtap/driver-testkit brings one', {
      cause: error,
    })
  }
}
