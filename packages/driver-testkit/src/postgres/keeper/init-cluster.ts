import { chown, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { SUPERUSER } from './protocol.ts'
import { runProgram } from './run-program.ts'
import type { ServerUser } from './server-user.ts'

/** Where and how a cluster is made. */
export interface ClusterOptions {
  readonly version: number
  readonly initdb: string
  /** The directory that holds everything of the server. */
  readonly directory: string
  readonly password: string
  readonly user: ServerUser
}

/** Creates a cluster (UTF-8, C.UTF-8 where there is such a locale, password for every connection). Returns its data directory. */
export async function initCluster(options: ClusterOptions): Promise<string> {
  const { directory, user } = options
  const passwordFile = join(directory, 'password')
  await writeFile(passwordFile, options.password, { mode: 0o600 })
  if (user !== null) await chown(passwordFile, user.uid, user.gid)
  const data = join(directory, 'data')
  const common = [
    `--pgdata=${data}`,
    `--username=${SUPERUSER}`,
    `--pwfile=${passwordFile}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    '--no-sync',
  ]
  let result = await runProgram(options.initdb, [...common, ...localeOf(options.version)], directory, user)
  if (result.exitCode !== 0 && /invalid locale/u.test(result.output)) {
    result = await runProgram(options.initdb, [...common, '--locale=C'], directory, user)
  }
  if (result.exitCode !== 0) throw new Error(`initdb failed: ${result.output}`)
  return data
}

/** From 17 on PostgreSQL has C.UTF-8 built in; before, it is the operating system's. */
function localeOf(version: number): readonly string[] {
  return version >= 17 ? ['--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'] : ['--locale=C.UTF-8']
}
