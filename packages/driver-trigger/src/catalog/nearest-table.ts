import type { TableName } from '@rowtap/core/driver'

/** The table that was probably meant: the same name in another case or schema, or one a few letters away. */
export function nearestTable(wanted: TableName, names: readonly TableName[]): TableName | null {
  let best: TableName | null = null
  let least = Math.max(1, Math.floor(wanted.name.length / 3)) + 1
  for (const candidate of names) {
    const away =
      distance(wanted.name.toLowerCase(), candidate.name.toLowerCase(), least) +
      (candidate.schema === wanted.schema ? 0 : 0.5)
    if (away < least) {
      least = away
      best = candidate
    }
  }
  return best
}

/** The number of letters to insert, remove or replace to get from one word to the other; `limit` if it is no less. */
function distance(from: string, to: string, limit: number): number {
  if (Math.abs(from.length - to.length) >= limit) return limit
  let previous = Array.from({ length: to.length + 1 }, (_, index) => index)
  for (let row = 1; row <= from.length; row += 1) {
    const current = [row]
    for (let column = 1; column <= to.length; column += 1) {
      const replaced = (previous[column - 1] ?? 0) + (from[row - 1] === to[column - 1] ? 0 : 1)
      current.push(Math.min(replaced, (previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1))
    }
    previous = current
  }
  return Math.min(previous[to.length] ?? limit, limit)
}
