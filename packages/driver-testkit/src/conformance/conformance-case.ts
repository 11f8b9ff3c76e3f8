import type { CapabilityName } from '@rowtap/core'
import type { ConformanceContext } from './conformance-context.ts'

/** The number of a law: the promises that make drivers interchangeable. */
export type Law = 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | 10 | 11 | 12

/** One statement about every driver, and how to find out whether it holds. */
export interface ConformanceCase {
  /** A statement of behaviour, unique among the cases: what fails when it fails. */
  readonly name: string
  readonly law: Law
  /** The cells of the manifest that must not be `false`. A driver without one of them is not asked. */
  readonly needs: readonly CapabilityName[]
  /** Further cells whose truth it checks, whatever they say. */
  readonly proves?: readonly CapabilityName[]
  /** The first PostgreSQL version that can run it. Default: every one. */
  readonly minVersion?: number
  /** How long it may take, in milliseconds. Default: 60,000. */
  readonly timeoutMs?: number
  /** Resolves where the statement holds; rejects, with a sentence about the defect, where it does not. */
  run(context: ConformanceContext): Promise<void>
}

/** How much the cases do. */
export interface ConformanceSizes {
  /** How many times a listener is attached and written to at once. Default: 200. */
  readonly rounds: number
  /** Transactions of each of the four writers of a random workload. Default: 120. */
  readonly transactions: number
  /** Rows in the one big transaction. Default: 100,000. */
  readonly bigTransactionRows: number
  /** What the random workloads start from. The same seed gives the same statements. Default: 1. */
  readonly seed: number
  /** How long an event may take, in milliseconds, before it counts as lost. Default: 20,000. */
  readonly patienceMs: number
}

/** The defaults of {@link ConformanceSizes}. */
export const DEFAULT_SIZES: ConformanceSizes = {
  rounds: 200,
  transactions: 120,
  bigTransactionRows: 100_000,
  seed: 1,
  patienceMs: 20_000,
}
