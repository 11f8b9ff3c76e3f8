import { RowtapError } from '../rowtap-error.ts'

/** A table's name in its two parts, as the catalogue spells them: case kept, no quotes. */
export interface TableName {
  readonly schema: string
  readonly name: string
}

/** Quotes a name for use in SQL, so that it can never be read as anything else. */
export function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/** `"schema"."table"`, ready for use in SQL. */
export function quoteTableName(table: TableName): string {
  return `${quoteIdentifier(table.schema)}.${quoteIdentifier(table.name)}`
}

/** The table's name as a person would write it: parts are quoted only where SQL needs it. */
export function formatTableName(table: TableName): string {
  return `${formatIdentifier(table.schema)}.${formatIdentifier(table.name)}`
}

function formatIdentifier(name: string): string {
  return /^[a-z_][a-z0-9_]*$/u.test(name) ? name : quoteIdentifier(name)
}

const part = /\s*(?:"((?:[^"]|"")+)"|([\p{L}_][\p{L}\p{N}_$]*))\s*/uy

/**
 * Reads a table's name as SQL would: `orders`, `public.orders`, `"Odd Schema"."Ta""ble.x"`.
 * Parts without quotes are folded to lower case; without a schema it is `public`.
 *
 * @throws RowtapError ERR_INVALID_OPTIONS where the text is not a table's name.
 */
export function parseTableName(text: string): TableName {
  const parts: string[] = []
  let at = 0
  while (parts.length < 3) {
    part.lastIndex = at
    const match = part.exec(text)
    if (match === null) break
    // PostgreSQL folds ASCII only (in a UTF-8 database), so that is what is done here.
    parts.push(
      match[1]?.replaceAll('""', '"') ?? (match[2] ?? '').replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase()),
    )
    at = part.lastIndex
    if (at === text.length) {
      const [first, second] = parts
      if (parts.length === 1 && first !== undefined) return { schema: 'public', name: first }
      if (parts.length === 2 && first !== undefined && second !== undefined) return { schema: first, name: second }
      break
    }
    if (text[at] !== '.') break
    at += 1
  }
  throw new RowtapError('ERR_INVALID_OPTIONS', {
    message: `${JSON.stringify(text)} is not the name of a table: write it as SQL does, for example public.orders or "My Schema"."My Table".`,
  })
}
