import type { Relation, TableName } from '@rowtap/core/driver'
import type { PostgresTypes } from '../trigger-options.ts'
import type { ShapeContent } from './shape.ts'

/** A table's shape, and where its columns are in a row's text. */
export interface ReadableRelation {
  readonly relation: Relation
  /** For each column of the relation, the number of its field in a row's text. */
  readonly fields: readonly number[]
}

/** Makes relations, and hands out the same object for the same shape each time. */
export function relationCache(types: PostgresTypes): (table: TableName, content: ShapeContent) => ReadableRelation {
  const known = new Map<string, ReadableRelation>()
  return (table, content) => {
    const key = JSON.stringify([table.schema, table.name, content])
    let readable = known.get(key)
    if (readable === undefined) known.set(key, (readable = makeRelation(types, table, content)))
    return readable
  }
}

function makeRelation(types: PostgresTypes, table: TableName, content: ShapeContent): ReadableRelation {
  const fields: number[] = []
  const columns = content.columns.flatMap((column, field) => {
    if (column.virtual) return []
    fields.push(field)
    const parse = types.getTypeParser(column.typeOid, 'text')
    return [{ name: column.name, typeOid: column.typeOid, typeName: column.typeName, parse }]
  })
  const key = content.key.map((name) => columns.findIndex((column) => column.name === name))
  const relation: Relation = {
    schema: table.schema,
    name: table.name,
    columns,
    primaryKey: key.includes(-1) ? [] : key,
    oldColumns: 'all',
    oldRowsStatement: null,
  }
  return { relation, fields }
}
