/** How the database keeps what a client still has to read: plain data. */
export interface SourceHealth {
  /** When the database was asked. */
  readonly takenAt: Date
  /**
   * - `reserved`: all that is to be read is kept, within the database's usual size.
   * - `extended`: it is kept, and makes the log larger than usual.
   * - `unreserved`: the limit is passed, and what is to be read may be removed at any moment.
   * - `lost`: it was removed. The client cannot go on from where it was.
   */
  readonly state: 'reserved' | 'extended' | 'unreserved' | 'lost'
  /** How many bytes of the log are not acknowledged yet, those included that are nobody's concern. */
  readonly lagBytes: number | null
  /**
   * For how many seconds at least the oldest of them has been there. It is known only for what was written since the
   * client connected, and to within the time between two looks.
   */
  readonly lagSeconds: number | null
  /** How many bytes of the log the database keeps for this client. */
  readonly retainedBytes: number | null
  /** How many bytes may be written before what is to be read may be removed; `null` where there is no limit. */
  readonly safeBytes: number | null
}
