import type { LogicalMessage } from '@rowtap/core'

import type { ChangeLineStyle } from './change-line.ts'
import { clockTime } from './clock-time.ts'
import { padTo } from './display-width.ts'
import { joinSegments } from './line-segments.ts'
import { plainValue } from './plain-value.ts'

/**
 * One logical message as one line of JSON without its line break. `content` is its text; where it is no UTF-8 that is
 * `null`, and `bytes` has it as `\\x` and hexadecimal.
 */
export function messageJsonLine({ id, prefix, content, transactional, position, transaction }: LogicalMessage): string {
  const text = textOf(content)
  return JSON.stringify({
    id,
    kind: 'message',
    prefix,
    content: text,
    bytes: text === null ? hexadecimal(content) : null,
    transactional,
    position,
    transaction:
      transaction === null ? null : { id: transaction.id, commitTime: transaction.commitTime?.toISOString() ?? null },
  })
}

/** One logical message as a line for a person: time of commit, prefix, and what it says. */
export function messageLine({ prefix, content, transaction }: LogicalMessage, style: ChangeLineStyle): string {
  const { dim, bold } = style.colors
  const commitTime = transaction?.commitTime ?? null
  return joinSegments(
    [
      { text: commitTime === null ? '-           ' : clockTime(commitTime), paint: dim },
      { text: `  ${padTo('message', 8)}`, paint: dim },
      { text: `  ${padTo(plainValue(prefix), style.tableWidth)}`, paint: bold },
      { text: `  ${plainValue(textOf(content) ?? hexadecimal(content))}` },
    ],
    style.columns,
  )
}

function textOf(content: Uint8Array): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(content)
  } catch {
    return null
  }
}

function hexadecimal(content: Uint8Array): string {
  return `\\x${Buffer.from(content).toString('hex')}`
}
