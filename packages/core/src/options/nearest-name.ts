import type { TableName } from '../contract/table-name.ts'

/** The name among `names` that is most likely meant by `name`, or `null` where none is near. */
export function nearestName(name: string, names: Iterable<string>): string | null {
  let best: string | null = null
  // A third of the letters may differ: beyond that a suggestion confuses more than it helps.
  let bestDistance = Math.max(1, Math.floor(name.length / 3)) + 1
  for (const candidate of names) {
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase())
    if (distance < bestDistance) {
      best = candidate
      bestDistance = distance
    }
  }
  return best
}

/** The table that is most likely meant: the same name elsewhere, or one of which few letters differ. */
export function nearestTable(table: TableName, candidates: Iterable<TableName>): TableName | null {
  let best: TableName | null = null
  let bestDistance = Math.max(1, Math.floor(table.name.length / 3)) + 1
  for (const candidate of candidates) {
    // Another schema counts as half a letter, so that of equally near names the one in the same schema wins.
    const elsewhere = candidate.schema === table.schema ? 0 : 0.5
    const distance = editDistance(table.name.toLowerCase(), candidate.name.toLowerCase()) + elsewhere
    if (distance < bestDistance) {
      best = candidate
      bestDistance = distance
    }
  }
  return best
}

/** How many letters have to be inserted, removed or replaced to turn one text into the other (Levenshtein). */
function editDistance(from: string, to: string): number {
  let previous = Array.from({ length: to.length + 1 }, (_, index) => index)
  for (let i = 1; i <= from.length; i++) {
    const current = [i]
    for (let j = 1; j <= to.length; j++) {
      const replaced = (previous[j - 1] ?? 0) + (from[i - 1] === to[j - 1] ? 0 : 1)
      current.push(Math.min(replaced, (previous[j] ?? 0) + 1, (current[j - 1] ?? 0) + 1))
    }
    previous = current
  }
  return previous[to.length] ?? 0
}

/** `Did you mean "x"? ` or nothing, to be put into a message. */
export function didYouMean(name: string, names: Iterable<string>): string {
  const nearest = nearestName(name, names)
  return nearest === null ? '' : ` Did you mean ${JSON.stringify(nearest)}?`
}
