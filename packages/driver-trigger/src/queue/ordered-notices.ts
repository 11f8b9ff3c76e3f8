import type { DriverNotice, Position } from '@rowtap/core/driver'

/** Notices that have a place in the stream: what was read before them is handled first. */
export interface OrderedNotices {
  /** A change was read. */
  read(position: Position): void
  /** Passes a notice on, after the changes that were read until now. */
  notify(notice: DriverNotice): void
  /** Everything up to a position is handled. */
  acknowledge(position: Position): void
}

/** Puts notices in order before they are passed on. */
export function orderedNotices(notify: (notice: DriverNotice) => void): OrderedNotices {
  const waiting: { readonly after: string; readonly notice: DriverNotice }[] = []
  let lastRead = ''
  let acknowledged = ''
  const flush = (): void => {
    for (let next = waiting[0]; next !== undefined && next.after <= acknowledged; next = waiting[0]) {
      waiting.shift()
      notify(next.notice)
    }
  }
  return {
    read: (position) => {
      lastRead = position
    },
    notify: (notice) => {
      waiting.push({ after: lastRead, notice })
      flush()
    },
    acknowledge: (position) => {
      if (position > acknowledged) acknowledged = position
      flush()
    },
  }
}
