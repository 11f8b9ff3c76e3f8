import { RowtapError } from '../rowtap-error.ts'
import type { Collation, ColumnType, ConditionColumn } from './column-type.ts'

/** A row of `COLUMN_TYPES_SQL`. */
export interface ColumnTypeRow {
  readonly name: string
  /** JSON. */
  readonly definition: string
}

/** One type as the query describes it. */
interface TypeEntry {
  readonly oid: string
  readonly castName: string
  readonly displayName: string
  readonly name: string
  readonly kind: 'base' | 'domain' | 'enum' | 'array' | 'range' | 'multirange' | 'composite'
  /** What a domain is over, an array's element, a range's subtype, a multirange's range. */
  readonly part: string | null
  readonly defaultOrder: boolean
  readonly labels: readonly string[] | null
  readonly collation: Collation | null
}

interface Definition {
  readonly type: string
  readonly types: readonly TypeEntry[]
}

/**
 * The types of a table's columns, from the rows of `COLUMN_TYPES_SQL`, in the same order.
 *
 * @throws RowtapError ERR_DECODE where the rows are not that query's.
 */
export function columnTypes(rows: readonly ColumnTypeRow[]): readonly ConditionColumn[] {
  return rows.map(({ name, definition }) => {
    // The query is ours, and so is the shape of what it returns.
    const { type, types } = JSON.parse(definition) as Definition
    return { name, type: typeOf(type, new Map(types.map((entry) => [entry.oid, entry]))) }
  })
}

function typeOf(oid: string | null, types: ReadonlyMap<string, TypeEntry>): ColumnType {
  const entry = types.get(oid ?? '')
  if (entry === undefined) {
    throw new RowtapError('ERR_DECODE', {
      message: `The catalogue does not describe the type with the object id ${String(oid)}.`,
    })
  }
  const { castName, displayName } = entry
  switch (entry.kind) {
    case 'domain':
      return typeOf(entry.part, types)
    case 'base':
      return { kind: 'base', castName, displayName, name: entry.name, collation: entry.collation }
    case 'enum':
      return { kind: 'enum', castName, displayName, labels: entry.labels ?? [] }
    case 'array':
      return { kind: 'array', castName, displayName, element: typeOf(entry.part, types) }
    case 'range':
      return {
        kind: 'range',
        castName,
        displayName,
        subtype: typeOf(entry.part, types),
        defaultOrder: entry.defaultOrder,
      }
    case 'multirange':
      return { kind: 'multirange', castName, displayName, range: typeOf(entry.part, types) }
    case 'composite':
      return { kind: 'composite', castName, displayName }
  }
}
