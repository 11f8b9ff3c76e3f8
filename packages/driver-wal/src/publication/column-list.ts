import type { CaptureRequest } from '@rowtap/core/driver'
import type { TableFacts } from '../catalog/table-facts.ts'

/**
 * The columns that listeners need of a table's inserts, in the table's order, where it has others; `null`: all. What
 * identifies a row is always among them: it is what the stream tells of a table's key.
 */
export function columnList({ columns }: CaptureRequest, facts: TableFacts): readonly string[] | null {
  if (columns === null) return null
  const identities = facts.storage.flatMap(({ identity }) => identity ?? [])
  const needed = new Set([...columns, ...facts.primaryKey, ...identities])
  const sent = facts.columns.filter(({ isSent }) => isSent).map(({ name }) => name)
  const listed = sent.filter((name) => needed.has(name))
  return listed.length === 0 || listed.length === sent.length ? null : listed
}
