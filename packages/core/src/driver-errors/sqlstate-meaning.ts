import type { ErrorCode } from '../rowtap-error.ts'

/** What an SQLSTATE means. */
export interface SqlstateMeaning {
  readonly code: ErrorCode
  /** Whether the same may succeed later without any change. */
  readonly retryable: boolean
  /** What to do: one sentence, which follows PostgreSQL's own. Left out where the code says it. */
  readonly advice?: string
}

/** From SQLSTATE to meaning. Five characters are one error; two are a class, for errors that are not listed. */
export type SqlstateMeanings = Readonly<Record<string, SqlstateMeaning>>

const lost: SqlstateMeaning = { code: 'ERR_CONNECTION_LOST', retryable: true }
const missing: SqlstateMeaning = {
  code: 'ERR_SETUP_REQUIRED',
  retryable: false,
  advice: 'Check that it exists, and that nobody drops it meanwhile.',
}

/**
 * What is the same for every driver, to begin a table of its own with. What is not in a table is ERR_DATABASE.
 * https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
export const SQLSTATE_MEANINGS: SqlstateMeanings = {
  /** connection_exception */
  '08': lost,
  /** read_only_sql_transaction */
  '25006': { code: 'ERR_SETUP_REQUIRED', retryable: false, advice: 'Connect to the primary server.' },
  /** idle_in_transaction_session_timeout */
  '25P03': lost,
  /** transaction_timeout */
  '25P04': lost,
  /** invalid_authorization_specification */
  '28': { code: 'ERR_AUTHENTICATION_FAILED', retryable: false },
  /** invalid_schema_name */
  '3F000': missing,
  /** insufficient_privilege */
  '42501': {
    code: 'ERR_SETUP_REQUIRED',
    retryable: false,
    advice: 'Grant the privilege to the role, or connect as the owner.',
  },
  /** undefined_table */
  '42P01': missing,
  /** insufficient_resources */
  '53': { code: 'ERR_DATABASE', retryable: true, advice: 'Try again when the server has resources to spare.' },
  /** too_many_connections */
  '53300': { code: 'ERR_CONNECTION_FAILED', retryable: true },
  /** admin_shutdown */
  '57P01': lost,
  /** crash_shutdown */
  '57P02': lost,
  /** cannot_connect_now: the server starts or stops */
  '57P03': { code: 'ERR_CONNECTION_FAILED', retryable: true },
  /** idle_session_timeout */
  '57P05': lost,
}

/** The meaning that a table gives to an SQLSTATE, or to its class; `null` for an error that stands for itself. */
export function sqlstateMeaning(meanings: SqlstateMeanings, sqlstate: string): SqlstateMeaning | null {
  return meanings[sqlstate] ?? meanings[sqlstate.slice(0, 2)] ?? null
}
