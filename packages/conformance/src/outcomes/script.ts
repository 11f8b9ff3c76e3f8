import type { Step } from './outcome.ts'

/** What a program does to captured tables. */
export interface Script {
  readonly name: string
  /** What is there before the tables are captured. */
  readonly setup: string
  /** The captured tables, with the columns of their keys (`id` unless told otherwise). */
  readonly tables: readonly { readonly table: string; readonly key?: readonly string[] }[]
  readonly steps: readonly Step[]
  /**
   * The SQLSTATEs of the steps that fail, captured or not, in their order; `'any'`: it does not matter
   * which do, nor what comes of them, which may depend on where in a table its rows are. Default: none fails.
   */
  readonly errors?: readonly string[] | 'any'
  readonly minVersion?: number
  /** The gaps that are told. Default: none. */
  readonly gaps?: readonly string[]
  /** Whether each event is possible where it comes. Default: true; `false` where the order of a row's key is not promised. */
  readonly strict?: boolean
  /** Whether what replication writes is captured, too. Default: false. */
  readonly replicated?: boolean
}
