import type { Change, Relation, Tuple } from '@rowtap/core/driver'
import type { Connection } from '../connection/connection.ts'
import { FIND_NAMED, PRINT_NAMES, SET_SEARCH_PATH } from '../sql/name-statements.ts'
import { mapArrayText } from './array-text.ts'

/**
 * Columns that hold objects' names (regclass, regtype, regproc and so on, and arrays of them) print them with a schema
 * or without, as the search_path says. Writers' settings must not show, so they are captured with it; a program that
 * reads the table gets them as its own search_path says, and so should a listener of the same program.
 */
export interface ObjectNames {
  /** Shortens the names in changes of tables that have such columns. Other changes are returned as they are. */
  shorten(changes: readonly Change[]): Promise<readonly Change[]>
}

// By the type's object id. (Roles and schemas have no schema.)
const nameTypes: ReadonlySet<number> = new Set([24, 2202, 2203, 2204, 2205, 2206, 3734, 3769, 4191])
// The array types, with the type of their elements.
const arrayTypes: ReadonlyMap<number, number> = new Map([
  [1008, 24],
  [2207, 2202],
  [2208, 2203],
  [2209, 2204],
  [2210, 2205],
  [2211, 2206],
  [3735, 3734],
  [3770, 3769],
  [4192, 4191],
])

/** A column with names in it. */
interface NameColumn {
  readonly index: number
  /** Replaces the names in a value's text. */
  readonly map: (text: string, replace: (type: number, name: string) => string) => string
}

function nameColumn(typeOid: number, index: number): NameColumn | null {
  const elementType = arrayTypes.get(typeOid)
  if (elementType !== undefined) {
    return { index, map: (text, replace) => mapArrayText(text, (name) => replace(elementType, name)) }
  }
  return nameTypes.has(typeOid) ? { index, map: (text, replace) => replace(typeOid, text) } : null
}

/** Shortens names as the connection's role sees them under a search_path. */
export function objectNames(connection: Connection, searchPath: string): ObjectNames {
  const columnsOf = new WeakMap<Relation, readonly NameColumn[]>()
  const nameColumns = (relation: Relation): readonly NameColumn[] => {
    let columns = columnsOf.get(relation)
    if (columns === undefined) {
      columns = relation.columns.flatMap(({ typeOid }, index) => nameColumn(typeOid, index) ?? [])
      columnsOf.set(relation, columns)
    }
    return columns
  }
  return {
    shorten: async (changes) => {
      if (!changes.some(({ relation }) => nameColumns(relation).length > 0)) return changes
      const names = new Map<string, readonly [number, string]>()
      for (const { relation, old, new: row } of changes) {
        for (const { index, map } of nameColumns(relation)) {
          for (const text of [old?.text(index), row?.text(index)]) {
            if (typeof text !== 'string') continue
            map(text, (type, name) => {
              names.set(`${type} ${name}`, [type, name])
              return name
            })
          }
        }
      }
      const short = await lookUp(connection, searchPath, [...names.values()])
      return changes.map((change) => {
        const columns = nameColumns(change.relation)
        if (columns.length === 0) return change
        const shortened = (tuple: Tuple | null): Tuple | null =>
          tuple === null ? null : shortenedTuple(tuple, columns, short)
        const { kind, relation, transaction, id, position } = change
        return { kind, relation, transaction, id, position, old: shortened(change.old), new: shortened(change.new) }
      })
    },
  }
}

async function lookUp(
  connection: Connection,
  searchPath: string,
  names: readonly (readonly [number, string])[],
): Promise<ReadonlyMap<string, string>> {
  const found = await connection.rows<{ type: string; name: string; oid: string }>(FIND_NAMED, [
    names.map(([type]) => type),
    names.map(([, name]) => name),
  ])
  const printed = await connection.transaction(async (queries) => {
    await queries.rows(SET_SEARCH_PATH, [searchPath])
    return queries.rows<{ name: string }>(PRINT_NAMES, [found.map(({ type }) => type), found.map(({ oid }) => oid)])
  })
  return new Map(found.map(({ type, name }, index) => [`${type} ${name}`, printed[index]?.name ?? name]))
}

function shortenedTuple(tuple: Tuple, columns: readonly NameColumn[], short: ReadonlyMap<string, string>): Tuple {
  return {
    text: (index) => {
      const text = tuple.text(index)
      const column = typeof text === 'string' ? columns.find((one) => one.index === index) : undefined
      if (typeof text !== 'string' || column === undefined) return text
      return column.map(text, (type, name) => short.get(`${type} ${name}`) ?? name)
    },
  }
}
