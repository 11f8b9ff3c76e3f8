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
  readonly labelIds: readonly string[] | null
  readonly collation: Collation | null
}

interface Definition {
  readonly type: string
  readonly types: readonly TypeEntry[]
}

/** A column with what else the query tells of its type. */
export interface DefinedColumn extends ConditionColumn {
  /** The type's object id, domains resolved to their base type. */
  readonly typeOid: number
  /** The object ids of the enumerations that the type is, or is made of. */
  readonly enumOids: readonly string[]
}

/**
 * The types of a table's columns, from the rows of `COLUMN_TYPES_SQL`, in the same order.
 *
 * @throws RowtapError ERR_DECODE where the rows are not that query's.
 */
export function columnTypes(rows: readonly ColumnTypeRow[]): readonly ConditionColumn[] {
  return definedColumns(rows).map(({ name, type }) => ({ name, type }))
}

/**
 * The same, with the types' object ids.
 *
 * @throws RowtapError ERR_DECODE where the rows are not that query's.
 */
export function definedColumns(rows: readonly ColumnTypeRow[]): readonly DefinedColumn[] {
  return rows.map(({ name, definition }) => {
    // The query is ours, and so is the shape of what it returns.
    const { type, types } = JSON.parse(definition) as Definition
    const byOid = new Map(types.map((entry) => [entry.oid, entry]))
    return {
      name,
      type: typeOf(type, byOid),
      typeOid: baseOid(type, byOid),
      enumOids: types.filter(({ kind }) => kind === 'enum').map(({ oid }) => oid),
    }
  })
}

function baseOid(oid: string, types: ReadonlyMap<string, TypeEntry>): number {
  const entry = types.get(oid)
  return entry?.kind === 'domain' && entry.part !== null ? baseOid(entry.part, types) : Number(oid)
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
      return { kind: 'enum', castName, displayName, labels: entry.labels ?? [], labelIds: entry.labelIds ?? [] }
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
