import type { Driver } from '@rowtap/core/driver'

/** A way to break a driver, and what a good suite says about it. */
export interface BrokenDriver {
  /** What is wrong with it. */
  readonly defect: string
  /** The names of the witnesses that must fail. All others must pass. */
  readonly failing: readonly string[]
  /** Breaks a driver for the database at `url`. */
  readonly break: (driver: Driver, url: string) => Driver
}
