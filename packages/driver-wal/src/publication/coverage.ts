import type { PlannedStatement, TableName } from '@rowtap/core/driver'
import { formatTableName } from '@rowtap/core/driver'
import type { ControlConnection } from '../connection/control-connection.ts'
import type { CaptureName, PublicationKind } from './capture-name.ts'

/** A table in a publication. */
export interface CoveredTable extends TableName {
  readonly oid: number
  readonly kind: PublicationKind
  /** The object id of its membership: another one each time that it is added. */
  readonly member: number
}

/** What two publications cover, told by object ids: what has another one is another one, whatever it is called. */
export interface Coverage {
  /** The object ids of the publications that are there. */
  readonly publications: readonly number[]
  readonly tables: readonly CoveredTable[]
}

/** Hears of what is covered, where that has to be known later. */
export interface CoverageMemory {
  /**
   * Tables are about to be taken out, also those that are added again with more or less of them.
   *
   * @throws RowtapError
   */
  takingOut(oids: readonly number[]): Promise<void>
  /**
   * What is covered is what was wanted.
   *
   * @throws RowtapError
   */
  settled(): Promise<void>
  /** What either of the two executes. */
  readonly statement: PlannedStatement
}

/** What two publications ($1, $2) cover; a row without a table for each that covers none. */
const COVERAGE = `
SELECT
  p.oid AS publication,
  p.pubname = $1 AS is_all,
  member.oid AS member,
  c.oid,
  n.nspname AS schema,
  c.relname AS name
FROM pg_catalog.pg_publication AS p
LEFT JOIN pg_catalog.pg_publication_rel AS member ON member.prpubid = p.oid
LEFT JOIN pg_catalog.pg_class AS c ON c.oid = member.prrelid
LEFT JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE p.pubname IN ($1, $2)
ORDER BY p.oid, member.oid`

/**
 * Which of some tables ($1: object ids, $2 and $3: schemas and names) are there, and which other ones are called so. `unnest`
 * takes several lists only without its schema; the search path is pinned.
 */
const STILL_THERE = `
SELECT
  known.oid,
  c.oid IS NOT NULL AS there,
  EXISTS (
    SELECT FROM pg_catalog.pg_class AS other
    JOIN pg_catalog.pg_namespace AS n ON n.oid = other.relnamespace
    WHERE n.nspname = known.schema AND other.relname = known.name AND other.oid <> known.oid
  ) AS succeeded
FROM unnest($1::pg_catalog.oid[], $2::pg_catalog.text[], $3::pg_catalog.text[]) AS known (oid, schema, name)
LEFT JOIN pg_catalog.pg_class AS c ON c.oid = known.oid`

/** What a client's publications cover now. The error of a failure is `pg`'s. */
export async function readCoverage(control: ControlConnection, { publications }: CaptureName): Promise<Coverage> {
  const rows = await control.query<'publication' | 'is_all' | 'member' | 'oid' | 'schema' | 'name'>(COVERAGE, [
    publications.all,
    publications.inserts,
  ])
  return {
    publications: [...new Set(rows.map(({ publication }) => Number(publication)))],
    tables: rows.flatMap(({ member, oid, schema, name, is_all }) =>
      member === null || oid === null
        ? []
        : [
            {
              oid: Number(oid),
              schema: schema ?? '',
              name: name ?? '',
              kind: is_all === 't' ? ('all' as const) : ('inserts' as const),
              member: Number(member),
            },
          ],
    ),
  }
}

/** A table that was covered, and is not any more, or was not for a while. */
export interface UncoveredTable {
  readonly table: CoveredTable
  readonly what: 'everything' | 'updates and deletes'
  /** Whether it is covered again. */
  readonly isAgain: boolean
}

/** What was covered before and is not now, or was not all the time. */
export function uncovered(before: readonly CoveredTable[], now: readonly CoveredTable[]): readonly UncoveredTable[] {
  return before.flatMap((table): readonly UncoveredTable[] => {
    const its = now.find(({ oid }) => oid === table.oid)
    if (its === undefined) return [{ table, what: 'everything', isAgain: false }]
    if (table.kind === 'all' && its.kind === 'inserts') return [{ table, what: 'updates and deletes', isAgain: false }]
    if (its.member !== table.member) return [{ table, what: 'everything', isAgain: true }]
    return []
  })
}

/** Why changes of these tables may be missing: a sentence for each. The error of a failure is `pg`'s. */
export async function uncoveredReasons(
  control: ControlConnection,
  tables: readonly UncoveredTable[],
): Promise<readonly string[]> {
  if (tables.length === 0) return []
  const rows = await control.query<'oid' | 'there' | 'succeeded'>(STILL_THERE, [
    tables.map(({ table }) => table.oid),
    tables.map(({ table }) => table.schema),
    tables.map(({ table }) => table.name),
  ])
  return tables.map(({ table, what, isAgain }) => {
    const name = formatTableName(table)
    const found = rows.find(({ oid }) => Number(oid) === table.oid)
    if (found?.there !== 't') {
      return found?.succeeded === 't'
        ? `Table ${name} was dropped and made again while the subscription did not run: what was written to the new one until it is captured again was missed.`
        : `Table ${name} was dropped while the subscription did not run.`
    }
    if (isAgain) {
      return `Somebody took ${name} out of the publication while the subscription did not run, and put it back: changes between were missed.`
    }
    return `Somebody took ${what === 'everything' ? name : `${what} of ${name}`} out of the publication while the subscription did not run: changes until it is captured again were missed.`
  })
}
