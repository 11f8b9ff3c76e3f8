import { quoteIdentifier } from '@rowtap/core/driver'
import type { Queries } from '../connection/connection.ts'
import { FIND_CAPTURE_FUNCTION, FIND_SHAPE } from '../sql/filter-statements.ts'
import { CAPTURE_SETTINGS } from '../sql/migration-0001/capture-settings.ts'
import { captureStatementBody } from '../sql/migration-0001/capture-statement-body.ts'
import { quoteLiteral } from '../sql/sql.ts'
import type { CapturedTable } from './capture-table.ts'
import type { Conditions } from './row-filter.ts'
import { filterText } from './row-filter.ts'

/** The function that captures the statements of one table, or of all that are captured whole. */
export interface CaptureFunction {
  /** Its quoted name, without the schema. */
  readonly name: string
  /** Whether it has just come to capture other rows. */
  readonly isAltered: boolean
}

/** The function that all tables have in common, which captures every row. */
const COMMON_FUNCTION: CaptureFunction = { name: 'capture_statement', isAltered: false }

interface Found {
  readonly source: string | null
  readonly triggered: boolean
}

/**
 * Finds the function for a table's statement triggers, or makes it: one of its own where somebody may want but some of the
 * rows, unless its triggers call the common one already. One of its own may come to capture other rows without its triggers
 * being touched.
 */
export async function captureFunction(
  queries: Queries,
  { schema, oid, pushesDown }: Pick<CapturedTable, 'schema' | 'oid' | 'pushesDown'>,
  conditions: Conditions,
): Promise<CaptureFunction> {
  const plainName = `capture ${oid}`
  const [found] = await queries.rows<Found>(FIND_CAPTURE_FUNCTION, [plainName, oid])
  const { source = null, triggered = false } = found ?? {}
  if (source === null && (!pushesDown || triggered)) return COMMON_FUNCTION
  const name = quoteIdentifier(plainName)
  const expression = filterText(conditions)
  const filter = expression === null ? null : { expression, shape: await findShape(queries, oid) }
  const body = captureStatementBody(filter).text(schema)
  if (source === body) return { name, isAltered: false }
  await queries.run(
    `create or replace function ${quoteIdentifier(schema)}.${name}() returns trigger${CAPTURE_SETTINGS.text(schema)} as ${quoteLiteral(body)}`,
  )
  if (source === null) await queries.run(`revoke all on function ${quoteIdentifier(schema)}.${name}() from public`)
  return { name, isAltered: source !== null }
}

/** The number of the table's present shape, as a plan writes it where there is no queue yet. */
async function findShape(queries: Queries, oid: string): Promise<string> {
  const [found] = await queries.rows<{ shape: string | null }>(FIND_SHAPE, [oid])
  return found === undefined ? ':shape' : (found.shape ?? '0')
}
