import type { Operation, Relation, TableName } from '@rowtap/core/driver'

/** The queue's marks for what says only that rows of a table were changed. */
const SIGNALS: Readonly<Record<string, Operation>> = { i: 'insert', u: 'update', d: 'delete' }

/** What such a mark says was done; `null` for any other. */
export function signalledOperation(mark: string): Operation | null {
  return SIGNALS[mark] ?? null
}

/** Relations for changes without rows: of the table nothing but its name is known. One for each table, as long as it is called so. */
export function signalRelations(nameOf: (root: string) => TableName | undefined): (root: string) => Relation | null {
  const relations = new Map<string, { readonly name: TableName; readonly relation: Relation }>()
  return (root) => {
    const name = nameOf(root)
    if (name === undefined) return null
    const known = relations.get(root)
    if (known?.name === name) return known.relation
    const relation: Relation = { ...name, columns: [], primaryKey: [], oldColumns: 'all', oldRowsStatement: null }
    relations.set(root, { name, relation })
    return relation
  }
}
