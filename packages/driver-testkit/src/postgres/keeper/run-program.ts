import { spawn } from 'node:child_process'
import type { ServerUser } from './server-user.ts'

/** What a program did. */
export interface ProgramResult {
  readonly exitCode: number | null
  /** Both outputs, in the order in which they came. */
  readonly output: string
}

/** Environment variables that mean something to PostgreSQL's programs, and that are nobody's business here. */
const FOREIGN = /^(?:PG|POSTGRES|LC_|LANG|TZ$)/u

/** The environment for PostgreSQL's programs: the caller's, without what would change what they do. */
export function programEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !FOREIGN.test(name))
  return { ...Object.fromEntries(kept), LC_ALL: 'C', TZ: 'UTC' }
}

/** Runs a program to its end. Rejects where it cannot be started (`ENOENT`, `EACCES`). */
export function runProgram(
  path: string,
  args: readonly string[],
  directory: string,
  user: ServerUser,
): Promise<ProgramResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(path, args, {
      cwd: directory,
      env: programEnvironment(),
      stdio: ['ignore', 'pipe', 'pipe'],
      windowsHide: true,
      ...user,
    })
    let output = ''
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => (output += text))
    child.on('error', reject)
    child.on('close', (exitCode) => resolve({ exitCode, output: output.trim() }))
  })
}
