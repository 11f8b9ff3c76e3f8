import { access, constants } from 'node:fs/promises'
import { delimiter, join } from 'node:path'

const NAMES = ['initdb', 'postgres', 'psql', 'pgbench', 'pg_recvlogical'] as const

/** Where Debian puts the programs of a version, none of which but `psql` and `pgbench` is in the search path. */
const KNOWN_FOLDERS = [18, 17, 16, 15, 14].map((version) => `/usr/lib/postgresql/${version}/bin`)

/** The names of PostgreSQL's programs, and where each is. */
export type PostgresPrograms = Readonly<Record<(typeof NAMES)[number], string>>

/**
 * Finds PostgreSQL's own programs, all in one folder: that of `ROWTAP_BENCH_POSTGRES`, one of `PATH`, or where Debian
 * puts them; `null` where no folder has them all.
 *
 * @throws Error where `ROWTAP_BENCH_POSTGRES` has not.
 */
export async function postgresPrograms(): Promise<PostgresPrograms | null> {
  const given = process.env['ROWTAP_BENCH_POSTGRES']
  const folders = given === undefined ? [...(process.env['PATH'] ?? '').split(delimiter), ...KNOWN_FOLDERS] : [given]
  for (const folder of folders) {
    if (folder !== '' && (await hasAll(folder))) {
      const path = (name: (typeof NAMES)[number]): string => join(folder, name)
      return {
        initdb: path('initdb'),
        postgres: path('postgres'),
        psql: path('psql'),
        pgbench: path('pgbench'),
        pg_recvlogical: path('pg_recvlogical'),
      }
    }
  }
  if (given !== undefined) throw programsMissing()
  return null
}

/** Says what a benchmark needs. */
export function programsMissing(): Error {
  return new Error(
    `This benchmark needs PostgreSQL's programs (${NAMES.join(', ')}) in one folder, and found none that has them all: set ROWTAP_BENCH_POSTGRES to it, for example /usr/lib/postgresql/15/bin, or install PostgreSQL's server and client packages. With --brief it does without.`,
  )
}

async function hasAll(folder: string): Promise<boolean> {
  const checks = NAMES.map((name) => access(join(folder, name), constants.X_OK))
  return (await Promise.allSettled(checks)).every(({ status }) => status === 'fulfilled')
}
