import type { SqlstateMeanings } from '@rowtap/core/driver'
import { SQLSTATE_MEANINGS } from '@rowtap/core/driver'

/** From SQLSTATE to meaning: what is the same for every driver, and what replication slots add. */
export const SQLSTATE_CODES: SqlstateMeanings = {
  ...SQLSTATE_MEANINGS,
  /** object_not_in_prerequisite_state: wal_level, an invalid slot */
  '55000': { code: 'ERR_SETUP_REQUIRED', retryable: false },
  /** object_in_use: the slot is active */
  '55006': { code: 'ERR_SUBSCRIPTION_IN_USE', retryable: true },
}
