import type { Change, Relation, Tuple } from '@rowtap/core/driver'
import type { Connection } from '../connection/connection.ts'
import { SET_SEARCH_PATH, SHORTEN_NAMES } from '../sql/name-statements.ts'

/**
 * Columns that hold objects' names (regclass, regtype, regproc) print them with a schema or without, as the
 * search_path says. Writers' settings must not show, so they are captured with it; a program that reads the table
 * gets them as its own search_path says, and so should a listener of the same program.
 */
export interface ObjectNames {
  /** Shortens the names in changes of tables that have such columns. Other changes are returned as they are. */
  shorten(changes: readonly Change[]): Promise<readonly Change[]>
}

const typeOids: ReadonlySet<number> = new Set([24, 2205, 2206])

/** Shortens names as the connection's role sees them under a search_path. */
export function objectNames(connection: Connection, searchPath: string): ObjectNames {
  const columnsOf = new WeakMap<Relation, readonly number[]>()
  const nameColumns = (relation: Relation): readonly number[] => {
    let columns = columnsOf.get(relation)
    if (columns === undefined) {
      columns = relation.columns.flatMap(({ typeOid }, index) => (typeOids.has(typeOid) ? [index] : []))
      columnsOf.set(relation, columns)
    }
    return columns
  }
  return {
    shorten: async (changes) => {
      if (!changes.some(({ relation }) => nameColumns(relation).length > 0)) return changes
      const names = new Map<string, readonly [number, string]>()
      for (const { relation, old, new: row } of changes) {
        for (const index of nameColumns(relation)) {
          const typeOid = relation.columns[index]?.typeOid ?? 0
          for (const text of [old?.text(index), row?.text(index)]) {
            if (typeof text === 'string') names.set(`${typeOid} ${text}`, [typeOid, text])
          }
        }
      }
      const short = await lookUp(connection, searchPath, [...names.values()])
      return changes.map((change) => {
        const columns = nameColumns(change.relation)
        if (columns.length === 0) return change
        const shortened = (tuple: Tuple | null): Tuple | null =>
          tuple === null ? null : shortenedTuple(tuple, change.relation, columns, short)
        return { ...change, old: shortened(change.old), new: shortened(change.new) }
      })
    },
  }
}

async function lookUp(
  connection: Connection,
  searchPath: string,
  names: readonly (readonly [number, string])[],
): Promise<ReadonlyMap<string, string>> {
  const rows = await connection.transaction(async (queries) => {
    await queries.rows(SET_SEARCH_PATH, [searchPath])
    return queries.rows<{ type: string; name: string; short: string }>(SHORTEN_NAMES, [
      names.map(([typeOid]) => typeOid),
      names.map(([, name]) => name),
    ])
  })
  return new Map(rows.map(({ type, name, short }) => [`${type} ${name}`, short]))
}

function shortenedTuple(
  tuple: Tuple,
  relation: Relation,
  columns: readonly number[],
  short: ReadonlyMap<string, string>,
): Tuple {
  return {
    text: (index) => {
      const text = tuple.text(index)
      if (typeof text !== 'string' || !columns.includes(index)) return text
      return short.get(`${relation.columns[index]?.typeOid ?? 0} ${text}`) ?? text
    },
  }
}
