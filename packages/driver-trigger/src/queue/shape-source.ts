import type { ColumnTypeBook, TableName } from '@rowtap/core/driver'
import { RowtapError } from '@rowtap/core/driver'
import type { ReadableRelation, RelationOf } from '../catalog/relations.ts'
import type { Shape } from '../catalog/shape.ts'
import type { Connection } from '../connection/connection.ts'
import { READ_SHAPES, SETTLE_SHAPE } from '../sql/queue-statements.ts'

/** The shapes that queued rows refer to. */
export interface ShapeSource {
  /**
   * Reads those that are not known yet, with the types of their tables' columns: a column may have been given another
   * collation. Reads the types again, too, where labels of a compared enumeration were added or renamed.
   */
  load(ids: ReadonlySet<string>): Promise<void>
  /** The relation of a shape, under the name that its table was asked for. */
  get(id: string, root: string): ReadableRelation
}

interface KnownShape extends ReadableRelation {
  readonly table: TableName
  /** The version of the types that the relation was made with. */
  readonly version: number
}

/** Reads shapes from the queue's schema, and keeps them; those of one transaction only until others are loaded. */
export function shapeSource(
  connection: Connection,
  columnTypes: ColumnTypeBook,
  relationOf: RelationOf,
  nameOf: (root: string) => TableName | undefined,
): ShapeSource {
  const shapes = new Map<string, Shape>()
  const readable = new Map<string, KnownShape>()
  // Those of one transaction each: there may be as many as transactions.
  const passing = new Set<string>()
  const loadUnknown = async (unknown: readonly string[]): Promise<void> => {
    const rows = await connection.rows<Shape & { readonly id: number }>(READ_SHAPES, [unknown])
    for (const root of new Set(rows.map((row) => row.root))) await columnTypes.read(Number(root))
    for (const row of rows) {
      shapes.set(String(row.id), row)
      if (!row.settled) passing.add(String(row.id))
    }
    // A writer met a state of the columns that no reader had recorded: from now on it is.
    const unsettled = new Set(rows.filter((row) => !row.settled).map((row) => row.relation))
    for (const relation of unsettled) await connection.rows(SETTLE_SHAPE, [relation])
  }

  return {
    load: async (wanted) => {
      for (const id of passing) {
        if (wanted.has(id)) continue
        passing.delete(id)
        shapes.delete(id)
        readable.delete(id)
      }
      const unknown = [...wanted].filter((id) => !shapes.has(id))
      if (unknown.length > 0) await loadUnknown(unknown)
      await columnTypes.refresh()
    },
    get: (id, root) => {
      const table = nameOf(root)
      const known = readable.get(id)
      if (known !== undefined && known.table === table && known.version === columnTypes.version) return known
      const shape = shapes.get(id)
      if (shape === undefined || table === undefined) {
        throw new RowtapError('ERR_DECODE', {
          message: `The shape ${id} of a captured row is not in the queue’s schema.`,
        })
      }
      const made = {
        ...relationOf({ oid: root, name: table }, shape.content),
        table,
        version: columnTypes.version,
      }
      readable.set(id, made)
      return made
    },
  }
}
