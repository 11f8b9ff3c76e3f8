import { READER_NAME } from './synchronous-standbys.ts'

/*
 * The output of a type depends on settings that a role or a database may have changed. Rows must not depend on
 * them, so each connection sets what it relies on. `search_path` is left alone on the replication connection:
 * types such as regclass print with it what they print for the role's other sessions. So until it is pinned, and on
 * the replication connection always, every function and operator is named with its schema: others may have put
 * theirs in the way.
 */

/*
 * A client whose machine is gone holds its locks and its slot until the server notices. Within about fifteen seconds it
 * does: another process may be waiting to take over.
 */
const KEEPALIVES = `
  ('tcp_keepalives_idle', '5'),
  ('tcp_keepalives_interval', '3'),
  ('tcp_keepalives_count', '3'),`

const PINNED = `${KEEPALIVES}
  ('datestyle', 'ISO, MDY'),
  ('intervalstyle', 'postgres'),
  ('timezone', 'UTC'),
  ('bytea_output', 'hex'),
  ('extra_float_digits', '1'),
  ('client_encoding', 'UTF8'),
  ('default_transaction_read_only', 'off'),
  ('statement_timeout', '0'),
  ('transaction_timeout', '0'),
  ('idle_session_timeout', '0'),
  ('idle_in_transaction_session_timeout', '0')`

/** For the replication connection. It waits for locks as long as it takes: whoever waits is told. */
export const PIN_REPLICATION_SESSION: string = pin(`${PINNED},
  ('application_name', ${READER_NAME}),
  ('lock_timeout', '0')`)

/** How long a statement on the control connection waits for a lock at first, in milliseconds. */
export const CONTROL_LOCK_TIMEOUT_MS = 100

/** Sets how long the statements that follow wait for a lock. */
export function setLockTimeout(ms: number): string {
  return `SET lock_timeout = '${Math.ceil(ms)}ms'`
}

/**
 * For the control connection. The short `lock_timeout` keeps others from queueing behind a statement of ours
 * that waits for a table; what only reads catalogues is asked again (`waitForLocks`). `tcp_user_timeout` is for this connection alone: on the other one a reader that is slow on
 * purpose would be taken for one that is gone. What is set up waits for no standby: a program that reads changes may be what
 * the server waits for. Planning what is asked of the catalogue takes longer than to run it: once is enough.
 */
export const PIN_CONTROL_SESSION: string = pin(`${PINNED},
  ('tcp_user_timeout', '15000'),
  ('synchronous_commit', 'local'),
  ('lock_timeout', '${CONTROL_LOCK_TIMEOUT_MS}ms'),
  ('plan_cache_mode', 'force_generic_plan'),
  ('jit', 'off'),
  ('search_path', 'pg_catalog')`)

function pin(settings: string): string {
  // By way of pg_settings, because not every version has every one of them.
  return `
SELECT pg_catalog.set_config(setting.name, wanted.value, false)
FROM (VALUES ${settings}
) AS wanted (name, value)
JOIN pg_catalog.pg_settings AS setting ON pg_catalog.lower(setting.name) OPERATOR(pg_catalog.=) wanted.name`
}
