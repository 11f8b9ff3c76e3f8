/** Resolves when the work is done (`true`), or after so many milliseconds (`false`), whichever comes first. */
export async function within(timeoutMs: number, work: Promise<unknown>): Promise<boolean> {
  const timeout = Promise.withResolvers<boolean>()
  // A longer delay than a timer can hold would fire at once.
  const timer = setTimeout(() => timeout.resolve(false), Math.min(timeoutMs, 2 ** 31 - 1))
  try {
    return await Promise.race([work.then(() => true), timeout.promise])
  } finally {
    clearTimeout(timer)
  }
}
