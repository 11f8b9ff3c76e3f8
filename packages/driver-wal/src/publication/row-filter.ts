import { createHash } from 'node:crypto'
import type { CaptureRequest, RequestedCondition } from '@rowtap/core/driver'
import { comparedColumns, hasPattern, SAFE_TYPES } from '@rowtap/core/driver'
import type { TableFacts } from '../catalog/table-facts.ts'

/** More conditions than this are not worth their cost for each row, in the server's one process that decodes. */
const MOST_CONDITIONS = 32

/** How many hexadecimal digits tell one condition from another. */
const MARK_DIGITS = 16

/** What {@link rowFilter} ends with, also as PostgreSQL prints it. */
const MARKS = /'rowtap ([0-9a-f ]+)'(?:::text)? IS NULL\)*$/u

/**
 * Which rows of a table leave the server: those of which one of several conditions is true.
 *
 * PostgreSQL keeps a filter as a tree of its own, and prints it in its own way. To know a condition again, the filter
 * names the marks of all that are in it, in a part that is never true and that PostgreSQL takes out before it tests a row.
 */
export interface RowFilter {
  /** As a boolean expression on a row of the table, marks included. */
  readonly text: string
  /** One for each condition. */
  readonly marks: readonly string[]
}

/** A filter that PostgreSQL has printed. */
export function readFilter(text: string): RowFilter {
  return { text, marks: MARKS.exec(text)?.[1]?.split(' ') ?? [] }
}

/**
 * The filter for the rows that listeners want, where the server can be trusted with each of their conditions; `null`: all
 * rows. A pattern (LIKE) may fail on a row, and would end the stream.
 */
export function rowFilter({ where }: CaptureRequest, facts: TableFacts): RowFilter | null {
  if (where === undefined || where === null || where.length > MOST_CONDITIONS) return null
  const plain = new Map(
    facts.columns
      .filter(({ typeOid, baseTypeOid, isSent }) => isSent && typeOid === baseTypeOid && SAFE_TYPES.has(typeOid))
      .map(({ name, number }) => [name, number]),
  )
  if (!where.every(({ tree }) => comparedColumns(tree).every((name) => plain.has(name)) && !hasPattern(tree)))
    return null
  const conditions = where.toSorted((one, other) => (one.sql < other.sql ? -1 : 1))
  const marks = new Set(conditions.flatMap((condition) => marksOf(condition, plain)))
  if (marks.size > MOST_CONDITIONS) return null
  const parts = conditions.map(({ sql }) => `(${sql})`)
  return { text: [...parts, `'rowtap ${[...marks].join(' ')}' IS NULL`].join(' OR '), marks: [...marks] }
}

/** The marks of the filter that a condition is, where it is one that was read; otherwise its own. */
export function marksOf(
  { tree, sql }: RequestedCondition,
  numbers: ReadonlyMap<string, number | null>,
): readonly string[] {
  const { marks } = readFilter(sql)
  if (marks.length > 0) return marks
  // Another column may have the name later: then the same text is another condition.
  const columns = comparedColumns(tree).map((name) => numbers.get(name))
  return [
    createHash('sha256')
      .update(JSON.stringify([sql, columns]))
      .digest('hex')
      .slice(0, MARK_DIGITS),
  ]
}
