import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

/** As much as a listener that is kept would cost at least. */
const LEAK_BYTES = 500

test('listeners that come, get a change and go leave handles, timers and memory as they were', async () => {
  const program = fileURLToPath(new URL('../testing/churn.ts', import.meta.url))
  const { stdout } = await promisify(execFile)(process.execPath, ['--expose-gc', program])
  const left = JSON.parse(stdout) as {
    readonly rounds: number
    readonly grownBytes: number
    readonly before: readonly string[]
    readonly after: readonly string[]
  }
  expect(left.rounds).toBe(1000)
  expect(left.grownBytes).toBeLessThan(left.rounds * LEAK_BYTES)
  expect(left.after).toEqual(left.before)
  expect(left).toMatchObject({
    listeners: [],
    total: { retried: 20, failed: 0, waiting: 0, bufferBytes: 0 },
    rejections: [],
  })
})
