/**
 * The SQLSTATE of an error that the server sent, as a client library for PostgreSQL hands it over: with `severity` and
 * `code`. Otherwise `null`. https://www.postgresql.org/docs/current/protocol-error-fields.html
 */
export function sqlstateOf(error: unknown): string | null {
  // The system's own codes (EPIPE) are in the same property.
  return isObject(error) && 'severity' in error && /^[0-9A-Z]{5}$/u.test(codeOf(error)) ? codeOf(error) : null
}

/** The code that an error has, whoever gave it: the server, the system or TLS. Empty where there is none. */
export function codeOf(error: unknown): string {
  return isObject(error) && 'code' in error && typeof error.code === 'string' ? error.code : ''
}

/** An error's message, without the full stop at its end. For a host with several addresses, what each one came to. */
export function errorText(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') return error.errors.map(errorText).join('; ')
  return (error instanceof Error ? error.message : String(error)).replace(/[.\s]+$/u, '')
}

function isObject(error: unknown): error is object {
  return typeof error === 'object' && error !== null
}
