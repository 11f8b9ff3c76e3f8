import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** Lets 16 clients of pgbench run a script for some seconds, and returns how many transactions a second they made, and in all. */
export async function writeRate(
  pgbench: string,
  url: string,
  statements: string,
  seconds: number,
): Promise<{ readonly rate: number; readonly transactions: number }> {
  const directory = await mkdtemp(join(tmpdir(), 'rowtap-pgbench-'))
  try {
    const script = join(directory, 'script.sql')
    await writeFile(script, statements)
    const options = ['-n', '-c', '16', '-j', '2', '-M', 'prepared', '-T', String(seconds), '-f', script, url]
    const { stdout } = await run(pgbench, options)
    const transactions = Number(/transactions actually processed: (\d+)/u.exec(stdout)?.[1])
    const rate = Number(/tps = ([\d.]+)/u.exec(stdout)?.[1])
    return { rate, transactions }
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}
