/** What a consumer's process is told. */
export interface ConsumerOptions {
  /** The URL of the module that exports the `chaosDriver`. */
  readonly module: string
  /** The database's connection string. */
  readonly url: string
  readonly subscription: string
  /** The file that it writes what it handled to. */
  readonly log: string
  /**
   * - `'each'`: an event is done when its handler is, which waits until it is on the disk.
   * - `'together'`: events are gathered for a while, and are acknowledged once they are on the disk together.
   */
  readonly handling: 'each' | 'together'
}

/** The exit code of a consumer that may be started again: its failure was one that passes. */
export const TRY_AGAIN = 75
