import type { PlannedStatement, TableName } from '@rowtap/core/driver'
import { formatTableName } from '@rowtap/core/driver'
import type { ControlConnection, TextRow } from '../connection/control-connection.ts'
import type { CaptureName, PublicationKind } from './capture-name.ts'
import { isAsMade } from './publication-sql.ts'
import { movedPartitions } from './moved-partitions.ts'
import { FAMILY, PARTITIONS } from './partition-sql.ts'
import type { FoundPartition, KnownPartition } from './partition.ts'

/** A table in a publication, as it is remembered. */
export interface KnownTable extends TableName {
  readonly oid: number
  readonly kind: PublicationKind
  /** The object id of its membership: another one each time that it is added. */
  readonly member: number
  /** What is below it; `null`: not known. */
  readonly partitions: readonly KnownPartition[] | null
}

/** A table in a publication, as it is. */
export interface CoveredTable extends KnownTable {
  /** Whether somebody has altered what the publication says of all its tables. */
  readonly isAltered: boolean
  readonly partitions: readonly FoundPartition[]
}

/** What two publications cover, told by object ids: what has another one is another one, whatever it is called. */
export interface Coverage {
  /** The object ids of the publications that are there. */
  readonly publications: readonly number[]
  readonly tables: readonly CoveredTable[]
}

/** Hears of what is covered, where that has to be known later. */
export interface CoverageMemory {
  /** Since when tables are covered without a break, by their object ids: another text each time. `null`: since nobody knows when. */
  readonly since: ReadonlyMap<number, string | null>
  /**
   * Tables are about to be taken out.
   *
   * @param returning those of them that the same transaction adds again, with more or less of them.
   * @throws RowtapError
   */
  takingOut(oids: readonly number[], returning: readonly number[]): Promise<void>
  /**
   * What is covered is what was wanted.
   *
   * @param tell hears of the tables that somebody else had taken out meanwhile, unless that was {@link told}, before it is
   *   written down that they are covered.
   * @throws RowtapError
   */
  settled(tell: (missed: readonly TableName[]) => void): Promise<void>
  /**
   * Rows of a table came or went unseen, or may have: what was kept of it before does not hold.
   *
   * @throws RowtapError
   */
  missing(oid: number): Promise<void>
  /**
   * What is below a table is known to whoever has to know it.
   *
   * @param member the object id of its membership, where it was told that it is another one, and nothing more is missed
   *   because of that; `null`: as it was.
   * @throws RowtapError
   */
  known(oid: number, partitions: readonly KnownPartition[], member: number | null): Promise<void>
  /** It was told that changes of a table are missed. */
  told(oid: number): void
  /** What these execute. */
  readonly statement: PlannedStatement
}

/** What two publications ($1, $2) cover; a row without a table for each that covers none. Run with `search_path = pg_catalog`. */
const COVERAGE = `
WITH RECURSIVE covered AS (
  SELECT
    p.oid AS publication, p.pubname = $1 AS is_all, NOT ${isAsMade('$1')} AS altered, member.oid AS member, member.prrelid AS oid
  FROM pg_publication AS p
  LEFT JOIN pg_publication_rel AS member ON member.prpubid = p.oid
  WHERE p.pubname IN ($1, $2)
),
roots AS (SELECT DISTINCT covered.oid FROM covered WHERE covered.oid IS NOT NULL),
${FAMILY},
listed AS (SELECT roots.oid FROM roots),
${PARTITIONS}
SELECT
  covered.publication,
  covered.is_all,
  covered.altered,
  covered.member,
  c.oid,
  n.nspname AS schema,
  c.relname AS name,
  partitions.found AS partitions
FROM covered
LEFT JOIN partitions ON partitions.oid = covered.oid
LEFT JOIN pg_class AS c ON c.oid = covered.oid
LEFT JOIN pg_namespace AS n ON n.oid = c.relnamespace
ORDER BY covered.publication, covered.member`

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

type CoverageColumn = 'publication' | 'is_all' | 'altered' | 'member' | 'oid' | 'schema' | 'name' | 'partitions'

/** What a client's publications cover now. The error of a failure is `pg`'s. */
export async function readCoverage(control: ControlConnection, { publications }: CaptureName): Promise<Coverage> {
  const rows = await control.query<CoverageColumn>(COVERAGE, [publications.all, publications.inserts])
  return {
    publications: [...new Set(rows.map(({ publication }) => Number(publication)))],
    tables: rows.flatMap(({ member, oid, schema, name, is_all, altered, partitions }) =>
      member === null || oid === null
        ? []
        : [
            {
              oid: Number(oid),
              schema: schema ?? '',
              name: name ?? '',
              kind: is_all === 't' ? ('all' as const) : ('inserts' as const),
              member: Number(member),
              isAltered: altered === 't',
              // The statement builds this document, so its shape is known here.
              partitions: JSON.parse(partitions ?? '[]') as FoundPartition[],
            },
          ],
    ),
  }
}

/** A table that was covered, and is not any more, or was not for a while; or into which rows came, or which they left, unseen. */
export interface UncoveredTable {
  readonly table: KnownTable
  readonly what: 'everything' | 'updates and deletes' | 'what the publication says' | 'partitions'
  /** Whether it is covered again. */
  readonly isAgain: boolean
  /** What became of its partitions, where that is `what`: a sentence for each. */
  readonly moved: readonly string[]
}

/** Why changes of a table may be missing. */
export interface UncoveredReason {
  readonly table: TableName
  readonly reason: string
}

/** What was covered before and is not now, or was not all the time. */
export function uncovered(before: readonly KnownTable[], now: readonly CoveredTable[]): readonly UncoveredTable[] {
  return before.flatMap((table): readonly UncoveredTable[] => {
    const its = now.find(({ oid }) => oid === table.oid)
    if (its === undefined) return [{ table, what: 'everything', isAgain: false, moved: [] }]
    if (isLess(table, its)) return [{ table, what: 'updates and deletes', isAgain: false, moved: [] }]
    if (its.member !== table.member) return [{ table, what: 'everything', isAgain: true, moved: [] }]
    if (its.isAltered) return [{ table, what: 'what the publication says', isAgain: false, moved: [] }]
    if (table.partitions === null) return []
    const family = new Set(table.partitions.map(({ oid }) => oid))
    const moved = movedPartitions(its, { partitions: table.partitions, family }, its.partitions)
    return moved.length === 0 ? [] : [{ table, what: 'partitions', isAgain: false, moved }]
  })
}

/** Whether fewer operations of a table are covered than before. */
export function isLess(before: KnownTable, now: KnownTable): boolean {
  return before.kind === 'all' && now.kind === 'inserts'
}

/** Why changes of these tables may be missing: a sentence for each. The error of a failure is `pg`'s. */
export async function uncoveredReasons(
  control: ControlConnection,
  tables: readonly UncoveredTable[],
): Promise<readonly UncoveredReason[]> {
  if (tables.length === 0) return []
  const rows = await control.query<'oid' | 'there' | 'succeeded'>(STILL_THERE, [
    tables.map(({ table }) => table.oid),
    tables.map(({ table }) => table.schema),
    tables.map(({ table }) => table.name),
  ])
  return tables.flatMap(({ table, what, isAgain, moved }) => {
    if (what === 'partitions') return moved.map((reason) => ({ table, reason }))
    const found = rows.find(({ oid }) => Number(oid) === table.oid)
    return [{ table, reason: reasonOf(table, { what, isAgain }, found) }]
  })
}

function reasonOf(
  table: TableName,
  { what, isAgain }: Pick<UncoveredTable, 'what' | 'isAgain'>,
  found: TextRow<'there' | 'succeeded'> | undefined,
): string {
  const name = formatTableName(table)
  if (found?.there !== 't') {
    return found?.succeeded === 't'
      ? `Table ${name} was dropped and made again while the subscription did not run: what was written to the new one until it is captured again was missed.`
      : `Table ${name} was dropped while the subscription did not run.`
  }
  if (what === 'what the publication says') {
    return `Somebody altered the publication of ${name} while the subscription did not run: changes until it is captured again may have been missed.`
  }
  if (isAgain) {
    return `Somebody took ${name} out of the publication while the subscription did not run, and put it back: changes between were missed.`
  }
  return `Somebody took ${what === 'everything' ? name : `${what} of ${name}`} out of the publication while the subscription did not run: changes until it is captured again were missed.`
}
