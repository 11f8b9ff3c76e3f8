import type { Row } from '@rowtap/core'
import { parseTableName, quoteTableName } from '@rowtap/core'
import assert from 'node:assert/strict'
import type { TestDatabase } from '../postgres/test-database.ts'
import { keyText } from './key-text.ts'

/** A table's rows as `pg` returns them, by key. The key columns are `id` unless told otherwise. */
export function readTable(
  database: TestDatabase,
  table: string,
  key: readonly string[] = ['id'],
): Promise<Map<string, Row>> {
  return readRows(database, `SELECT * FROM ${quoteTableName(parseTableName(table))}`, key)
}

/** The rows of a query as `pg` returns them, by key. */
export async function readRows(
  database: TestDatabase,
  text: string,
  key: readonly string[] = ['id'],
): Promise<Map<string, Row>> {
  const client = await database.connect()
  try {
    // As arrays: into objects `pg` cannot put a column called __proto__.
    const result = await client.query<unknown[]>({ text, rowMode: 'array' })
    const rows = result.rows.map((values): Row =>
      Object.fromEntries(result.fields.map((field, index) => [field.name, values[index]])),
    )
    return new Map(rows.map((row) => [keyText(Object.fromEntries(key.map((name) => [name, row[name]]))), row]))
  } finally {
    await client.end()
  }
}

/** Fails where two sets of rows differ, and says which rows are wrong and how. */
export function assertSameRows(
  actual: ReadonlyMap<string, Row>,
  expected: ReadonlyMap<string, Row>,
  what: string,
): void {
  const lost = [...expected.keys()].filter((key) => !actual.has(key))
  const invented = [...actual.keys()].filter((key) => !expected.has(key))
  assert.deepEqual(
    { lost: lost.slice(0, 5), invented: invented.slice(0, 5) },
    { lost: [], invented: [] },
    `${what}: ${lost.length} rows are missing (${lost.slice(0, 5).join(' ')}), ${invented.length} are there that should not be (${invented.slice(0, 5).join(' ')})`,
  )
  for (const [key, row] of expected) assertSameRow(actual.get(key), row, `${what}: the row ${key}`)
}

/** Fails where two rows differ, and names the column. */
export function assertSameRow(actual: object | null | undefined, expected: Row, what: string): void {
  assert.ok(actual !== null && actual !== undefined, `${what} is not there`)
  assert.deepEqual(
    Object.keys(actual).toSorted(),
    Object.keys(expected).toSorted(),
    `${what} has other columns than the table`,
  )
  const values = new Map<string, unknown>(Object.entries(actual))
  for (const [column, value] of Object.entries(expected)) {
    assert.deepStrictEqual(values.get(column), value, `${what}: ${JSON.stringify(column)} is not what pg returns`)
  }
}
