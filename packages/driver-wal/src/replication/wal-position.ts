import type { Position } from '@rowtap/core/driver'
import { position } from '@rowtap/core/driver'
import type { Lsn } from './lsn.ts'
import { lsnDigits } from './lsn.ts'

/*
 * A position is the place of the transaction's commit record, and the number of the change within the
 * transaction: `000000001a2b3c40/00000007`. Transactions arrive in the order of their commit records.
 */

/** What the positions of a transaction's changes begin with: eight digits of the change's number follow. */
export function positionPrefix(commit: Lsn): string {
  return `${lsnDigits(commit)}/`
}

/** Greater than the position of all whose commit record is before this place, and smaller than of all others. */
export function positionBefore(place: Lsn): Position {
  return position(`${lsnDigits(place > 0n ? place - 1n : 0n)}/ffffffff`)
}
