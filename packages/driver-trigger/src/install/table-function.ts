import { quoteIdentifier } from '@rowtap/core/driver'
import type { ShapeContent } from '../catalog/shape.ts'
import type { Queries } from '../connection/connection.ts'
import { FIND_CAPTURE_FUNCTION, NARROW_SHAPE, FIND_SHAPE } from '../sql/filter-statements.ts'
import { CAPTURE_SETTINGS } from '../sql/migration-0001/capture-settings.ts'
import { CAPTURE_STATEMENT_BODY } from '../sql/migration-0001/capture-statement-body.ts'
import { narrowedStatementBody } from '../sql/narrowed-capture/narrowed-statement-body.ts'
import { quoteLiteral } from '../sql/sql.ts'
import type { Sql } from '../sql/sql.ts'
import type { CapturedTable } from './capture-table.ts'
import type { CapturedPart, PartColumn, RowOperation } from './captured-part.ts'
import { isWhole, ROW_OPERATIONS, unionOf, WHOLE } from './captured-part.ts'
import { define } from './refused-definition.ts'
import { filterText } from './row-filter.ts'

/** The function that captures the statements of one table, or of all that are captured whole. */
export interface CaptureFunction {
  /** Its quoted name, without the schema. */
  readonly name: string
  /** Whether it is the table's own: it may have captured less until now. */
  readonly isOwn: boolean
  /** The operations that it is needed for. */
  readonly operations: readonly RowOperation[]
}

/** The function that all tables have in common, which captures every row. */
const COMMON_FUNCTION: CaptureFunction = { name: 'capture_statement', isOwn: false, operations: ROW_OPERATIONS }

/** What {@link FIND_CAPTURE_FUNCTION} finds. */
export interface FoundFunction {
  /** The body of the table's own function; `null`: it has none. */
  readonly source: string | null
  /** Whether triggers of the table call the common one. */
  readonly triggered: boolean
}

/** The name of a table's own function. */
export function ownFunctionName(oid: string): string {
  return `capture ${oid}`
}

/**
 * Finds the function for a table's statement triggers, or makes it: one of its own where somebody may want but a part of the
 * changes, unless its triggers call the common one already. One of its own may come to capture another part without its
 * triggers being touched.
 *
 * @param parts what each of those wants who want the table.
 */
export async function captureFunction(
  queries: Queries,
  { schema, oid, pushesDown }: Pick<CapturedTable, 'schema' | 'oid' | 'pushesDown'>,
  parts: readonly CapturedPart[],
): Promise<CaptureFunction> {
  const plainName = ownFunctionName(oid)
  const [found] = await queries.rows<FoundFunction>(FIND_CAPTURE_FUNCTION, [plainName, oid])
  const { source = null, triggered = false } = found ?? {}
  if (source === null && (!pushesDown || triggered)) return COMMON_FUNCTION
  const name = quoteIdentifier(plainName)
  const [known] = await queries.rows<KnownShape>(FIND_SHAPE, [oid])
  const part = known === undefined ? WHOLE : unionOf(parts, known.content)
  const body = (await bodyOf(queries, oid, part, known)).text(schema)
  const own: CaptureFunction = { name, isOwn: true, operations: part.operations }
  if (source === body) return own
  await define(
    queries,
    makeTableFunction(schema, plainName, body),
    `make the function ${name}, which captures a table`,
    null,
  )
  if (source === null) {
    const revoke = `revoke all on function ${quoteIdentifier(schema)}.${name}() from public`
    await define(queries, revoke, `let nobody call the function ${name}`)
  }
  return own
}

/** The statement that makes the function of one table, or replaces its body: its triggers stay. */
export function makeTableFunction(schema: string, plainName: string, body: string): string {
  return `create or replace function ${quoteIdentifier(schema)}.${quoteIdentifier(plainName)}() returns trigger${CAPTURE_SETTINGS.text(schema)} as ${quoteLiteral(body)}`
}

/** A table's present shape. */
interface KnownShape {
  readonly shape: string
  readonly content: ShapeContent
}

async function bodyOf(queries: Queries, oid: string, part: CapturedPart, known: KnownShape | undefined): Promise<Sql> {
  if (known === undefined || isWhole(part)) return CAPTURE_STATEMENT_BODY
  const { operations, columns, conditions } = part
  return narrowedStatementBody({
    unwanted: ROW_OPERATIONS.filter((one) => !operations.includes(one)).map((one) => one.toUpperCase()),
    expression: conditions === null ? null : filterText(conditions),
    columns: columns === null ? null : columns.map(({ name }) => name),
    shape: known.shape,
    printed: columns === null ? known.shape : await narrowShape(queries, oid, columns, known),
  })
}

/** The number of the shape of rows that have but some of the columns. */
async function narrowShape(
  queries: Queries,
  oid: string,
  columns: readonly PartColumn[],
  { shape, content }: KnownShape,
): Promise<string> {
  const listed = new Set(columns.map(({ name }) => name))
  const narrow: ShapeContent = {
    ...content,
    columns: content.columns.map((column) => (listed.has(column.name) ? column : { ...column, leftOut: true })),
  }
  const [made] = await queries.rows<{ shape: string }>(NARROW_SHAPE, [oid, JSON.stringify(narrow)])
  return made?.shape ?? shape
}
