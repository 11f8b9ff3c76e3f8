import { UsageError } from '../failure/usage-error.ts'

const column = /\s*(?:"((?:[^"]|"")+)"|([\p{L}_][\p{L}\p{N}_$]*))\s*(,|$)/uy

/**
 * Reads column names as SQL does: without quotes they are folded to lower case, `"Mixed"` is taken as it is.
 *
 * @throws UsageError where the text is not a list of names.
 */
export function columnList(text: string): readonly string[] {
  const names = new Set<string>()
  let at = 0
  while (true) {
    column.lastIndex = at
    const match = column.exec(text)
    if (match === null) break
    names.add(match[1]?.replaceAll('""', '"') ?? lowerCase(match[2] ?? ''))
    at = column.lastIndex
    if (match[3] === '') return [...names]
  }
  throw new UsageError(
    `--columns takes names separated by commas, written as in SQL (id,"Mixed Case"), not ${JSON.stringify(text)}`,
  )
}

/** PostgreSQL folds ASCII only, in a database whose encoding is UTF-8. */
function lowerCase(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase())
}
