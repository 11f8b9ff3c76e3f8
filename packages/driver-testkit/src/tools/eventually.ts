import assert from 'node:assert/strict'

/** How to wait. */
export interface EventuallyOptions {
  /** Milliseconds until it counts as never. Default: 20,000. */
  readonly timeoutMs?: number
}

const PAUSE_MS = 5

/** Asks again and again until the answer is yes; for a condition that nobody announces. */
export async function eventually(
  condition: () => boolean | Promise<boolean>,
  what: string,
  options: EventuallyOptions = {},
): Promise<void> {
  const { timeoutMs = 20_000 } = options
  const deadline = performance.now() + timeoutMs
  while (!(await condition())) {
    assert.ok(performance.now() < deadline, `waited ${timeoutMs / 1000} s in vain: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
  }
}
