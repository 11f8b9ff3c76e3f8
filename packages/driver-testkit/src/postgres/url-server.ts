import { RowtapError } from '@rowtap/core/driver'
import { Client } from 'pg'
import type { StartPostgresOptions } from './postgres-server.ts'
import type { ServerHandle } from './server-handle.ts'

/**
 * The server that the environment names, if it names one for the version: `ROWTAP_POSTGRES_<version>_URL`, or
 * `ROWTAP_POSTGRES_URL` for whatever version it is.
 */
export async function urlServer(options: StartPostgresOptions): Promise<ServerHandle | null> {
  const { version, settings } = options
  if (settings !== undefined && Object.keys(settings).length > 0) return null
  const exact = version === undefined ? undefined : process.env[`ROWTAP_POSTGRES_${version}_URL`]
  const url = exact ?? process.env['ROWTAP_POSTGRES_URL']
  if (url === undefined || url === '') return null
  const found = await versionOf(url)
  if (version === undefined || found === version)
    return { source: 'url', version: found, url, stop: () => Promise.resolve() }
  if (exact === undefined) return null
  throw new RowtapError('ERR_SETUP_REQUIRED', {
    message: `The server at ROWTAP_POSTGRES_${version}_URL is PostgreSQL ${found}, not ${version}.`,
  })
}

async function versionOf(url: string): Promise<number> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    const { rows } = await client.query<{ server_version_num: string }>('SHOW server_version_num')
    return Math.floor(Number(rows[0]?.server_version_num) / 10_000)
  } finally {
    await client.end()
  }
}
