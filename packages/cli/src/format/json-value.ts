/**
 * A value as `pg` returns it, in terms of JSON.
 *
 * - null, booleans, strings and finite numbers stay as they are; arrays, JSON and points are converted member by member
 * - a Date is its ISO 8601 form, an interval its ISO 8601 duration, bytes are hexadecimal after `\x`
 * - what JSON has no number for is a string: bigints, `NaN`, `Infinity`, `-Infinity`
 *
 * @param text the value as PostgreSQL's output function prints it, where it is known: it stands in for a date that
 *   JavaScript cannot hold (`infinity`, the year 294276).
 */
export function jsonValue(value: unknown, text?: string): unknown {
  if (typeof value === 'string' || typeof value === 'boolean' || value === null) return value
  if (typeof value === 'number') return Number.isFinite(value) ? value : (text ?? String(value))
  if (typeof value === 'bigint') return String(value)
  if (typeof value !== 'object') return text ?? null
  if (Array.isArray(value)) return value.map((member: unknown) => jsonValue(member))
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? (text ?? 'Invalid Date') : value.toISOString()
  if (value instanceof Uint8Array)
    return `\\x${Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('hex')}`
  if (isInterval(value)) return value.toISOString()
  // An object without a prototype: a member named `__proto__` in a JSON column is a member like any other.
  const members: Record<string, unknown> = Object.create(null)
  for (const [name, member] of Object.entries(value)) members[name] = jsonValue(member)
  return members
}

interface Interval {
  toISOString(): string
}

/** What `pg` makes of an interval; a value from a JSON column has no methods. */
function isInterval(value: object): value is Interval {
  return 'toISOString' in value && typeof value.toISOString === 'function'
}
