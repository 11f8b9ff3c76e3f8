/** How often, and how far apart, a handler that failed is tried again. */
export interface RetryPolicy {
  /** How often a handler is called for one event at most, the first call included. Default: 1, no retry. */
  readonly attempts?: number
  /** The delay before the second call, in milliseconds; each further one is twice as long. Default: 100. */
  readonly minDelayMs?: number
  /** The longest delay, in milliseconds. Default: 30,000. */
  readonly maxDelayMs?: number
}

/** A {@link RetryPolicy} with every default filled in. */
export interface CheckedRetryPolicy {
  readonly attempts: number
  readonly minDelayMs: number
  readonly maxDelayMs: number
}

/**
 * The delay after so many failed attempts: exponential, and somewhere between a half and the whole of it, so that
 * what failed together does not come back together.
 */
export function retryDelayMs(policy: CheckedRetryPolicy, failedAttempts: number, random: () => number): number {
  const whole = Math.min(policy.maxDelayMs, policy.minDelayMs * 2 ** (failedAttempts - 1))
  return whole / 2 + (whole / 2) * random()
}
