import type { ErrorCode } from '@rowtap/core/driver'
import { RowtapError } from '@rowtap/core/driver'

/** What a SQLSTATE (or the name of a failed system call) becomes. */
export interface ErrorRule {
  readonly code: ErrorCode
  readonly retryable: boolean
  /** What to do, in one sentence that follows PostgreSQL's own message. */
  readonly advice: string
}

const unreachable: ErrorRule = {
  code: 'ERR_CONNECTION_FAILED',
  retryable: true,
  advice: 'Check host and port, and that the server runs.',
}
const refused: ErrorRule = {
  code: 'ERR_AUTHENTICATION_FAILED',
  retryable: false,
  advice: 'Check the user and the password, and the server’s pg_hba.conf.',
}
const lost: ErrorRule = { code: 'ERR_CONNECTION_LOST', retryable: true, advice: 'Connect again.' }
const denied: ErrorRule = {
  code: 'ERR_SETUP_REQUIRED',
  retryable: false,
  advice: 'Grant the privilege, or connect as the owner.',
}
const missing: ErrorRule = {
  code: 'ERR_SETUP_REQUIRED',
  retryable: false,
  advice: 'Check that the object exists, and that nobody drops it meanwhile.',
}
const exhausted: ErrorRule = { code: 'ERR_DATABASE', retryable: true, advice: 'The server lacks a resource.' }

/** Errors of a connection that is being made, by SQLSTATE, SQLSTATE class (two characters) or system call. */
export const CONNECTING: Readonly<Record<string, ErrorRule>> = {
  ECONNREFUSED: unreachable,
  ECONNRESET: unreachable,
  ENOTFOUND: unreachable,
  EAI_AGAIN: unreachable,
  ENOENT: unreachable,
  EACCES: unreachable,
  EPIPE: unreachable,
  EHOSTUNREACH: unreachable,
  ENETUNREACH: unreachable,
  ETIMEDOUT: unreachable,
  '08': unreachable,
  '28': refused,
  '3D000': {
    code: 'ERR_CONNECTION_FAILED',
    retryable: false,
    advice: 'Correct the database’s name, or run CREATE DATABASE.',
  },
  '42501': {
    code: 'ERR_SETUP_REQUIRED',
    retryable: false,
    advice: 'Run GRANT CONNECT ON DATABASE … TO …; as the database’s owner.',
  },
  '53300': {
    code: 'ERR_CONNECTION_FAILED',
    retryable: true,
    advice: 'Raise max_connections, or close idle connections.',
  },
  '55000': { code: 'ERR_CONNECTION_FAILED', retryable: false, advice: 'Choose a database that allows connections.' },
  '57P03': { code: 'ERR_CONNECTION_FAILED', retryable: true, advice: 'The server is starting up or shutting down.' },
}

/** Errors of an established connection, by SQLSTATE, SQLSTATE class (two characters) or system call. */
export const CONNECTED: Readonly<Record<string, ErrorRule>> = {
  ECONNRESET: lost,
  EPIPE: lost,
  ETIMEDOUT: lost,
  EHOSTUNREACH: lost,
  ENETUNREACH: lost,
  '08': lost,
  '57P01': lost,
  '57P02': lost,
  '57P03': lost,
  '57P05': lost,
  '25P03': lost,
  '42501': denied,
  '42P01': missing,
  '3F000': missing,
  '25006': {
    code: 'ERR_SETUP_REQUIRED',
    retryable: false,
    advice: 'Connect to the primary server: capturing writes to the database.',
  },
  '53': exhausted,
}

/** SQLSTATE of a lock that could not be had within `lock_timeout`. */
export const LOCK_NOT_AVAILABLE = '55P03'
/** SQLSTATE of a deadlock that was resolved by failing this transaction. */
export const DEADLOCK_DETECTED = '40P01'
/** SQLSTATE of a missing privilege or ownership. */
export const INSUFFICIENT_PRIVILEGE = '42501'
/** SQLSTATE of an object that others depend on, or a schema that is not empty. */
export const DEPENDENT_OBJECTS = '2BP01'

/** SQLSTATEs of a schema, table, function or other object that is not there. */
export const UNDEFINED_OBJECTS: ReadonlySet<string> = new Set(['3F000', '42P01', '42883', '42704'])

/** The SQLSTATE of an error of `pg`, or the name of the system call's error; `null` where it has none. */
export function errorState(error: unknown): string | null {
  if (typeof error !== 'object' || error === null || !('code' in error)) return null
  return typeof error.code === 'string' ? error.code : null
}

/** Turns an error of `pg` into a {@link RowtapError}. One that is a RowtapError already stays as it is. */
export function toRowtapError(error: unknown, phase: 'connecting' | 'connected', doing: string): RowtapError {
  if (RowtapError.is(error)) return error
  const state = errorState(error)
  const table = phase === 'connecting' ? CONNECTING : CONNECTED
  const rule = state === null ? undefined : (table[state] ?? table[state.slice(0, 2)])
  const message = messageOf(error)
  if (rule === undefined) {
    const byText = phase === 'connecting' ? ruleByText(message) : lostByText(message)
    const code = byText?.code ?? (phase === 'connecting' ? 'ERR_CONNECTION_FAILED' : 'ERR_DATABASE')
    return new RowtapError(code, {
      message: sentence(doing, message, byText?.advice ?? (state === null ? '' : `(SQLSTATE ${state})`)),
      retryable: byText?.retryable ?? false,
      cause: error,
    })
  }
  const happened = rule === lost ? 'The connection to PostgreSQL was lost' : doing
  return new RowtapError(rule.code, {
    message: sentence(happened, message, rule.advice),
    retryable: rule.retryable,
    cause: error,
  })
}

/** What the client library says by itself carries no SQLSTATE. */
function ruleByText(message: string): ErrorRule | undefined {
  if (/password must be a (non-empty )?string|SASL|SCRAM/u.test(message)) return refused
  if (/timeout|terminated|ended|SSL/u.test(message)) return unreachable
  return undefined
}

function lostByText(message: string): ErrorRule | undefined {
  return /Connection terminated|connection error|not queryable|Connection ended/iu.test(message) ? lost : undefined
}

function sentence(doing: string, message: string, advice: string): string {
  return `${doing}: ${message.replace(/[.\s]+$/u, '')}. ${advice}`.trim()
}

function messageOf(error: unknown): string {
  // Node reports an attempt on several addresses (::1 and 127.0.0.1) as one error without a message.
  if (error instanceof AggregateError && error.message === '') return error.errors.map(messageOf).join('; ')
  return error instanceof Error ? error.message : String(error)
}
