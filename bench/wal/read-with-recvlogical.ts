import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Reading } from './peer.ts'
import { cpuSecondsOf, peakRssBytesOf, writtenBytesOf } from './process-usage.ts'

/** How often it is looked at: the precision of what is measured. */
const LOOK_MS = 5
/** It writes a little before the first change, too. */
const BEGUN_BYTES = 4096

interface Look {
  readonly at: number
  readonly written: number
  readonly cpuSeconds: number
}

/**
 * Reads a slot with the server's own client, which throws away what it reads, up to a place of the log. It tells nothing
 * itself: what it has written so far, and what that took, is what the system tells.
 */
export async function readWithRecvlogical(
  program: string,
  {
    url,
    slot,
    publication,
    end,
  }: { readonly url: string; readonly slot: string; readonly publication: string; readonly end: string },
): Promise<Omit<Reading, 'senderCpuSeconds'>> {
  if (process.platform !== 'linux') throw new Error('pg_recvlogical can be watched on Linux only.')
  const settings = ['-o', 'proto_version=1', '-o', `publication_names=${publication}`, '--endpos', end, '--no-loop']
  const child = spawn(program, ['-d', url, '-S', slot, '--start', '-f', '/dev/null', ...settings], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const exited = once(child, 'exit')
  const begun: Look = { at: performance.now(), written: 0, cpuSeconds: 0 }
  let first: Look | null = null
  let last: Look | null = null
  let peakRssBytes = 0
  while (child.exitCode === null && child.pid !== undefined) {
    const [written, cpuSeconds, rss] = await Promise.all([
      writtenBytesOf(child.pid),
      cpuSecondsOf(child.pid),
      peakRssBytesOf(child.pid),
    ])
    if (written === null || cpuSeconds === null) break
    peakRssBytes = Math.max(peakRssBytes, rss ?? 0)
    const now = performance.now()
    if (written > (last?.written ?? BEGUN_BYTES)) {
      last = { at: now, written, cpuSeconds }
      first ??= last
    }
    await sleep(LOOK_MS)
  }
  await exited
  // What is read between two looks cannot be told from the rest of the process.
  first ??= begun
  last ??= { at: performance.now(), written: 0, cpuSeconds: begun.cpuSeconds }
  return { seconds: (last.at - first.at) / 1000, cpuSeconds: last.cpuSeconds - first.cpuSeconds, peakRssBytes }
}
