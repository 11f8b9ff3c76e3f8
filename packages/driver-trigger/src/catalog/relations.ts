import type { ColumnType, ColumnTypeBook, Relation, RelationColumn, TableName } from '@rowtap/core/driver'
import { unknownType } from '@rowtap/core/driver'
import type { PostgresTypes } from '../trigger-options.ts'
import type { ShapeContent } from './shape.ts'

/** A table's shape, and where its columns are in a row's text. */
export interface ReadableRelation {
  readonly relation: Relation
  /**
   * For each column that changes of the table hold, the first of the relation's, the number of its field in a row's text;
   * `undefined` where rows of this shape lack it.
   */
  readonly fields: readonly (number | undefined)[]
  /** How many fields a row's text has. */
  readonly fieldCount: number
}

/** A captured table: what it is, and the name that it was asked for. */
export interface CapturedTable {
  /** Its object id; of a partition, that of the table at the top. */
  readonly oid: string
  readonly name: TableName
}

/** Makes relations of shapes with the columns' types as they are known now. */
export type RelationOf = (table: CapturedTable, content: ShapeContent) => ReadableRelation

/** Makes relations, and hands out the same object for the same shape and types each time. */
export function relationCache(types: PostgresTypes, columnTypes: ColumnTypeBook): RelationOf {
  const known = new Map<string, ReadableRelation>()
  return ({ oid, name: table }, content) => {
    const found = content.columns.map((column) => columnTypes.typeOf(Number(oid), column))
    const key = JSON.stringify([table.schema, table.name, content, found])
    let readable = known.get(key)
    if (readable === undefined) known.set(key, (readable = makeRelation(types, table, content, found)))
    return readable
  }
}

function makeRelation(
  types: PostgresTypes,
  table: TableName,
  content: ShapeContent,
  columnTypes: readonly ColumnType[],
): ReadableRelation {
  // A virtual column is printed in its place, but never with its value: it comes after those that have one.
  let fieldCount = 0
  const numbered = content.columns.map((column, index) => ({
    ...column,
    index,
    field: column.leftOut === true ? undefined : fieldCount++,
  }))
  const stored = numbered.filter(({ virtual }) => !virtual)
  const columns = [...stored, ...numbered.filter(({ virtual }) => virtual)].map(
    ({ name, number, typeOid, typeName, virtual, leftOut = false, index }): RelationColumn => ({
      name,
      ...(number === null ? {} : { number }),
      type: columnTypes[index] ?? unknownType(typeName),
      mayBeUnavailable: virtual,
      neverSent: virtual ? NEVER_SENT : null,
      ...(leftOut && !virtual ? { leftOut } : {}),
      typeOid,
      typeName,
      parse: types.getTypeParser(typeOid, 'text'),
    }),
  )
  const key = content.key.map((name) => columns.findIndex((column) => column.name === name))
  const relation: Relation = {
    schema: table.schema,
    name: table.name,
    columns,
    primaryKey: key.includes(-1) ? [] : key,
    oldColumns: stored.length === columns.length ? 'all' : [...stored.keys()],
    oldRowsStatement: null,
  }
  return { relation, fields: stored.map(({ field }) => field), fieldCount }
}

const NEVER_SENT =
  'It is a virtual generated column, whose value is stored nowhere: name the columns that it is made of, or make it a STORED one.'
