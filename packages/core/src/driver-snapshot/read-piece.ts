import type { Relation } from '../contract/relation.ts'
import type { SnapshotRequest } from '../contract/snapshot-source.ts'
import type { TableName } from '../contract/table-name.ts'
import { quoteIdentifier, quoteTableName } from '../contract/table-name.ts'
import type { KeyColumn } from './key-columns.ts'
import { isAfter, isNotAfter, keyOrder } from './key-columns.ts'

/** A statement with its parameters. */
export interface PieceStatement {
  readonly text: string
  readonly values: readonly string[]
}

/**
 * Locks a table against being emptied or altered, and nothing else. Waits for the table alone, while it holds no other lock:
 * whose partition is not to be had at once lets go of it. So nobody else who takes such locks one after the other is ever in
 * a deadlock with it.
 */
export function lockTable(table: TableName, isPartitioned: boolean): string {
  const name = quoteTableName(table)
  const alone = `LOCK TABLE ONLY ${name} IN ACCESS SHARE MODE`
  return isPartitioned ? `${alone}; LOCK TABLE ${name} IN ACCESS SHARE MODE NOWAIT` : alone
}

/** Declares the cursor of one piece of a table. Values are cast to the types of their columns, and printed by them. */
export function declarePiece(
  { after, upTo, maxRows }: Pick<SnapshotRequest, 'after' | 'upTo' | 'maxRows'>,
  {
    relation,
    columns,
    key,
    isPartitioned,
  }: {
    readonly relation: Relation
    /** Indexes into the relation's columns. */
    readonly columns: readonly number[]
    readonly key: readonly KeyColumn[]
    readonly isPartitioned: boolean
  },
): PieceStatement {
  const values: string[] = []
  const compared = (texts: readonly string[]): Parameters<typeof isAfter>[0] =>
    key.map((column, index) => {
      values.push(texts[index] ?? '')
      return { column, left: quoteIdentifier(column.name), right: parameter(relation, column, values.length) }
    })
  const conditions = [
    ...(after === null ? [] : [isAfter(compared(after))]),
    ...(upTo === null ? [] : [isNotAfter(compared(upTo))]),
  ]
  const names = columns.map((index) => quoteIdentifier(relation.columns[index]?.name ?? ''))
  const where = conditions.length === 0 ? '' : ` WHERE ${conditions.join(' AND ')}`
  return {
    text:
      `DECLARE rowtap_piece NO SCROLL CURSOR FOR SELECT ${names.join(', ')} FROM ${isPartitioned ? '' : 'ONLY '}${quoteTableName(relation)}` +
      `${where} ORDER BY ${keyOrder(key)} LIMIT ${Math.trunc(maxRows) + 1}`,
    values,
  }
}

/** For each of some keys, how many of the boundaries it comes after: keys first, then boundaries, column by column. */
export function countBoundaries(relation: Relation, key: readonly KeyColumn[]): string {
  const names = (prefix: string): string => key.map((_, index) => `${prefix}${index}`).join(', ')
  const lists = (offset: number): string =>
    `ROWS FROM (${key.map((_, index) => `pg_catalog.unnest($${offset + index + 1}::pg_catalog.text[])`).join(', ')})`
  const compared = key.map((column, index) => ({
    column,
    left: value(relation, column, `wanted.w${index}`),
    right: value(relation, column, `boundary.b${index}`),
  }))
  return `
SELECT (SELECT pg_catalog.count(*) FROM ${lists(key.length)} AS boundary (${names('b')}) WHERE ${isAfter(compared)})
FROM ${lists(0)} WITH ORDINALITY AS wanted (${names('w')}, ordinal)
ORDER BY wanted.ordinal`
}

function parameter(relation: Relation, column: KeyColumn, number: number): string {
  return `CAST($${number} AS ${castName(relation, column)})`
}

function value(relation: Relation, column: KeyColumn, text: string): string {
  const { collation, collationSchema } = column
  const cast = `CAST(${text} AS ${castName(relation, column)})`
  if (collation === null || collationSchema === null) return cast
  return `${cast} COLLATE ${quoteIdentifier(collationSchema)}.${quoteIdentifier(collation)}`
}

function castName(relation: Relation, { name }: KeyColumn): string {
  return relation.columns.find((column) => column.name === name)?.type.castName ?? 'pg_catalog.text'
}
