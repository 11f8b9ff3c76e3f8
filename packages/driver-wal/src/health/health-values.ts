import type { WalStatus } from './wal-health.ts'

/** A number of bytes. None that a server can have is too large for a double. */
export function bytesOf(text: string | null): number | null {
  return text === null ? null : Number(text)
}

/** A moment, from milliseconds. */
export function momentOf(text: string | null): Date | null {
  return text === null ? null : new Date(Number(text))
}

/** PostgreSQL's `t` and `f`. */
export function booleanOf(text: string | null): boolean | null {
  return text === null ? null : text === 't'
}

/** What `wal_status` says; `null` where it says nothing. */
export function walStatusOf(text: string | null): WalStatus | null {
  switch (text) {
    case 'reserved':
    case 'extended':
    case 'unreserved':
    case 'lost':
      return text
    default:
      return null
  }
}
