import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Report } from './consumer.ts'
import type { Variant } from './variants.ts'

const program = fileURLToPath(new URL('consumer.ts', import.meta.url))

/** A consumer in a process of its own. Disposing of it ends it. */
export interface Consumer extends AsyncDisposable {
  /** Makes it take no more changes. */
  hold(): Promise<void>
  /** Makes it go on, and waits until it has taken so many changes since the last time. */
  go(changes: number): Promise<Report>
}

/** Starts a consumer, and waits until it misses nothing. */
export async function startConsumer(variant: Variant['name'], url: string): Promise<Consumer> {
  const child = spawn(process.execPath, [program, variant], {
    env: { ...process.env, DATABASE_URL: url },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const exited = once(child, 'exit')
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const next = async (): Promise<string> => {
    const line = await lines.next()
    if (line.done === true) throw new Error(`The consumer of ${variant} ended.`)
    return line.value
  }
  await next()
  const ask = async (command: string): Promise<string> => {
    child.stdin.write(`${command}\n`)
    return await next()
  }
  return {
    hold: async () => void (await ask('hold')),
    go: async (changes) => JSON.parse(await ask(`go ${changes}`)) as Report,
    async [Symbol.asyncDispose]() {
      child.stdin.end()
      await exited
    },
  }
}
