import type { ErrorCode } from '@rowtap/core/driver'

/** What an SQLSTATE means here. */
export interface SqlstateMeaning {
  readonly code: ErrorCode
  readonly retryable: boolean
}

/**
 * From SQLSTATE to code. Five characters are one error; two are a class, for errors that are not listed.
 * What is in neither is ERR_DATABASE. https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
export const SQLSTATE_CODES: Readonly<Record<string, SqlstateMeaning>> = {
  /** connection_exception */
  '08': { code: 'ERR_CONNECTION_LOST', retryable: true },
  /** invalid_authorization_specification: no such role, no entry in pg_hba.conf */
  '28': { code: 'ERR_AUTHENTICATION_FAILED', retryable: false },
  /** invalid_catalog_name: no such database */
  '3D000': { code: 'ERR_CONNECTION_FAILED', retryable: false },
  /** insufficient_privilege */
  '42501': { code: 'ERR_SETUP_REQUIRED', retryable: false },
  /** undefined_table */
  '42P01': { code: 'ERR_SETUP_REQUIRED', retryable: false },
  /** too_many_connections */
  '53300': { code: 'ERR_CONNECTION_FAILED', retryable: true },
  /** object_not_in_prerequisite_state: wal_level, an invalid slot */
  '55000': { code: 'ERR_SETUP_REQUIRED', retryable: false },
  /** object_in_use: the slot is active */
  '55006': { code: 'ERR_SUBSCRIPTION_IN_USE', retryable: true },
  /** admin_shutdown */
  '57P01': { code: 'ERR_CONNECTION_LOST', retryable: true },
  /** crash_shutdown */
  '57P02': { code: 'ERR_CONNECTION_LOST', retryable: true },
  /** cannot_connect_now: the server starts or stops */
  '57P03': { code: 'ERR_CONNECTION_FAILED', retryable: true },
  /** idle_session_timeout */
  '57P05': { code: 'ERR_CONNECTION_LOST', retryable: true },
}

/** The meaning of an SQLSTATE, or `null` for an error that stands for itself. */
export function sqlstateMeaning(sqlstate: string): SqlstateMeaning | null {
  return SQLSTATE_CODES[sqlstate] ?? SQLSTATE_CODES[sqlstate.slice(0, 2)] ?? null
}
