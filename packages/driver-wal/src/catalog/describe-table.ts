import type { ConstantToNormalise, NormalisedConstant, Relation, TableName } from '@rowtap/core/driver'
import { formatTableName, normaliseConstants } from '@rowtap/core/driver'
import type { ControlConnection } from '../connection/control-connection.ts'
import { databaseError } from '../errors/database-error.ts'
import { checkCapturable } from './check-capturable.ts'
import { withFullIdentity } from './full-identity.ts'
import type { RelationRegistry } from './relation-registry.ts'
import { readTable } from './table-facts.ts'
import { tableMissing } from './table-missing.ts'

/** What looks tables up. */
export interface Catalogue {
  readonly control: ControlConnection
  readonly relations: RelationRegistry
  /** Whether tables are given full identity when they are captured: they are described as they will be. */
  readonly fullIdentity: boolean
}

/**
 * The shape of a table that can be captured.
 *
 * @throws RowtapError
 */
export async function describeTable(
  { control, relations, fullIdentity }: Catalogue,
  table: TableName,
): Promise<Relation> {
  try {
    const facts = await readTable(control, table)
    if (facts === null) throw await tableMissing(control, table)
    checkCapturable(facts)
    return await relations.ofTable(fullIdentity ? withFullIdentity(facts) : facts)
  } catch (error) {
    throw databaseError(error, `describe ${formatTableName(table)}`)
  }
}

/**
 * Has PostgreSQL read the constants of a condition.
 *
 * @throws RowtapError
 */
export async function readConstants(
  control: ControlConnection,
  constants: readonly ConstantToNormalise[],
): Promise<readonly NormalisedConstant[]> {
  try {
    return await normaliseConstants(control.queryRow)(constants)
  } catch (error) {
    throw databaseError(error, 'read the constants of a condition')
  }
}
