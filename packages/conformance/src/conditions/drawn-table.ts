import type { TestDatabase } from '@rowtap/driver-testkit'
import type { ConditionColumn } from '../../../core/src/conditions/column-type.ts'
import { COLUMN_TYPES_SQL } from '../../../core/src/conditions/column-types.sql.ts'
import type { ColumnTypeRow } from '../../../core/src/conditions/column-types.ts'
import { columnTypes } from '../../../core/src/conditions/column-types.ts'
import type { NormaliseConstants } from '../../../core/src/conditions/normalise-constants.ts'
import { CANONICAL_SETTINGS, normaliseConstants } from '../../../core/src/conditions/normalise-constants.sql.ts'
import { quoteIdentifier } from '../../../core/src/contract/table-name.ts'
import { quoteLiteral } from '../../../core/src/conditions/to-sql.ts'

/** A connection for conditions. */
export type Connection = Awaited<ReturnType<TestDatabase['connect']>>

/** A row's texts; `null` is NULL. */
export type TextRow = readonly (string | null)[]

/** Opens a connection with the settings under which values are printed. */
export async function canonicalConnection(database: TestDatabase): Promise<Connection> {
  const connection = await database.connect()
  for (const [name, value] of Object.entries(CANONICAL_SETTINGS)) {
    await connection.query('SELECT set_config($1, $2, false)', [name, value])
  }
  return connection
}

/** Runs a statement and returns its rows as the server's own texts. */
export async function textRows(
  connection: Connection,
  text: string,
  values: readonly string[] = [],
): Promise<TextRow[]> {
  const result = await connection.query<(string | null)[]>({
    text,
    values: [...values],
    rowMode: 'array',
    types: { getTypeParser: () => (value: unknown) => value },
  })
  return result.rows
}

/** Asks PostgreSQL about constants over a connection. */
export function normaliseOver(connection: Connection): NormaliseConstants {
  return normaliseConstants(async ({ text, values }) => {
    const [row] = await textRows(connection, text, values)
    return row ?? []
  })
}

/** The types of a table's columns, as the catalogue has them. */
export async function typesOf(connection: Connection, table: string): Promise<readonly ConditionColumn[]> {
  const { rows } = await connection.query<ColumnTypeRow>(
    COLUMN_TYPES_SQL.replace('$1', `${quoteLiteral(table)}::pg_catalog.regclass`),
  )
  return columnTypes(rows)
}

/** `INSERT` of rows given in the input syntax of their columns' types. */
export function insertStatement(table: string, rows: readonly TextRow[]): string {
  const values = rows.map((row) => `(${row.map((text) => (text === null ? 'NULL' : quoteLiteral(text))).join(', ')})`)
  return `INSERT INTO ${quoteIdentifier(table)} VALUES ${values.join(', ')}`
}
