import type { DriverNotice } from '@rowtap/core/driver'

/** Tells of what PostgreSQL refuses to have done, and what can wait: once each, until it is done. */
export interface RefusalNotices {
  /** Something is refused. */
  refused(what: string, message: string): void
  /** It is done, or need not be any more. */
  done(what: string): void
}

/** Nothing is told yet. */
export function refusalNotices(notify: (notice: DriverNotice) => void): RefusalNotices {
  const told = new Set<string>()
  return {
    refused: (what, message) => {
      if (told.has(what)) return
      told.add(what)
      notify({ kind: 'wait', reason: `${message} It is tried again, more and more rarely.`, processIds: [] })
    },
    done: (what) => {
      told.delete(what)
    },
  }
}
