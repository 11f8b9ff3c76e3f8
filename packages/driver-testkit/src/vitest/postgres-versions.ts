import { installedVersions } from '../postgres/embedded-binaries.ts'
import type { PostgresVersion } from '../postgres/postgres-server.ts'
import { POSTGRES_VERSIONS } from '../postgres/postgres-server.ts'
import { RowtapError } from '@rowtap/core/driver'

/**
 * The versions that a test run uses, oldest first.
 *
 * - `ROWTAP_POSTGRES_VERSIONS` (`14,18`), where it is set
 * - `null`, the server's own version, where only `ROWTAP_POSTGRES_URL` is set
 * - otherwise each version whose binaries are installed, or that has a `ROWTAP_POSTGRES_<version>_URL`
 *
 * @throws RowtapError ERR_INVALID_OPTIONS where the variable names something else than these versions.
 */
export function postgresVersions(): readonly (PostgresVersion | null)[] {
  const wanted = process.env['ROWTAP_POSTGRES_VERSIONS']
  if (wanted !== undefined && wanted !== '') return wanted.split(',').map((text) => versionFrom(text.trim()))
  if (isSet('ROWTAP_POSTGRES_URL')) return [null]
  const installed = installedVersions()
  return POSTGRES_VERSIONS.filter((version) => installed.includes(version) || isSet(`ROWTAP_POSTGRES_${version}_URL`))
}

function versionFrom(text: string): PostgresVersion {
  const version = POSTGRES_VERSIONS.find((known) => String(known) === text)
  if (version !== undefined) return version
  throw new RowtapError('ERR_INVALID_OPTIONS', {
    message: `ROWTAP_POSTGRES_VERSIONS is a list of ${POSTGRES_VERSIONS.join(', ')}, separated by commas; "${text}" is none of them.`,
  })
}

function isSet(name: string): boolean {
  return (process.env[name] ?? '') !== ''
}
