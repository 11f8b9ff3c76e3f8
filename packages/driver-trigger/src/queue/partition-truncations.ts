import type { DriverNotice, Position, TableName, Transaction } from '@rowtap/core/driver'
import { formatTableName } from '@rowtap/core/driver'

/** The queue's mark for a TRUNCATE that emptied a partition. */
export const PARTITION_TRUNCATED = 'P'

/**
 * Tells of partitions that were emptied on their own: which rows went is not known, so there is no event of it.
 *
 * A TRUNCATE of the whole table marks each of its partitions, too, before or after its own mark, with nothing else in
 * between. Marks in such a run are told by the table's own truncate event.
 */
export interface PartitionTruncations {
  /** Looks at every queued row, in order. */
  see(operation: string, root: string, transaction: Transaction, position: Position): void
  /** Nothing more of this transaction comes. */
  end(): void
}

/** Gives notice of a gap for each table with a partition that was emptied. */
export function partitionTruncations(
  nameOf: (root: string) => TableName | undefined,
  notify: (notice: DriverNotice) => void,
): PartitionTruncations {
  let current: Transaction | null = null
  const emptied = new Map<string, Position>()
  const truncated = new Set<string>()
  const end = (): void => {
    for (const [root, position] of emptied) {
      const table = nameOf(root)
      if (table === undefined) continue
      notify({
        kind: 'gap',
        from: position,
        to: position,
        reason: `A partition of ${formatTableName(table)} was truncated on its own. PostgreSQL does not tell which rows were in it.`,
      })
    }
    emptied.clear()
    truncated.clear()
  }
  return {
    see: (operation, root, transaction, position) => {
      if (transaction !== current) end()
      current = transaction
      if (operation === PARTITION_TRUNCATED) {
        if (!truncated.has(root)) emptied.set(root, position)
      } else if (operation === 'T') {
        emptied.delete(root)
        truncated.add(root)
      } else {
        end()
      }
    },
    end: () => {
      current = null
      end()
    },
  }
}
