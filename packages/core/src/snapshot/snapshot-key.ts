import type { DriverSession } from '../contract/driver.ts'
import type { SnapshotKey, SnapshotSource } from '../contract/snapshot-source.ts'
import type { TableName } from '../contract/table-name.ts'
import type { Binding } from '../dispatch/binding.ts'
import { RowtapError } from '../rowtap-error.ts'

/**
 * What a listener's table is read by.
 *
 * @throws RowtapError ERR_SETUP_REQUIRED where the table cannot be read in pieces, or not by this role.
 */
export function snapshotKey(
  session: DriverSession,
  table: TableName,
  { relation, projection }: Binding,
): Promise<SnapshotKey> {
  const names = projection.key.map(({ name }) => name)
  const primary = relation.primaryKey.flatMap((index) => relation.columns[index]?.name ?? [])
  const isPrimary = primary.length === names.length && primary.every((name) => names.includes(name))
  return snapshotSource(session).keyOf(table, isPrimary ? null : names)
}

/** @throws RowtapError ERR_DRIVER_CONTRACT */
export function snapshotSource({ snapshots }: DriverSession): SnapshotSource {
  if (snapshots !== undefined) return snapshots
  throw new RowtapError('ERR_DRIVER_CONTRACT', {
    message: 'The driver says that it can read snapshots, and its session has no `snapshots`.',
  })
}
