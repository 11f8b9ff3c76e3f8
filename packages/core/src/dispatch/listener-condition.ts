import type { Capabilities } from '../capabilities/capabilities.ts'
import { bindCondition, constantsOf } from '../conditions/bind-condition.ts'
import type { NormalisedConstants } from '../conditions/bound-condition.ts'
import { AS_WRITTEN, constantKey } from '../conditions/bound-condition.ts'
import type { ColumnType } from '../conditions/column-type.ts'
import type { Condition } from '../conditions/condition.ts'
import { isConditionSource } from '../conditions/condition-source.ts'
import type { NormaliseConstants } from '../conditions/normalise-constants.ts'
import { normalisedConstants } from '../conditions/normalise-constants.ts'
import type { Relation } from '../contract/relation.ts'
import { checkCondition } from '../options/check-condition.ts'
import type { ListenRequest } from '../options/listen-request.ts'

/** A listener's condition with its constants read by PostgreSQL. */
export interface ListenerCondition {
  readonly tree: Condition
  readonly constants: NormalisedConstants
  /** The type of each column of the table when the constants were read. */
  readonly types: ReadonlyMap<string, ColumnType>
}

/**
 * Makes of a listener's `where` a condition on rows of this table. Asks PostgreSQL about its constants, but for those
 * whose text says it all.
 *
 * @throws RowtapError ERR_INVALID_OPTIONS where it is not a condition on this table, ERR_CAPABILITY_UNSUPPORTED where
 *   the driver lacks an operator.
 */
export async function listenerCondition(
  where: ListenRequest['where'],
  relation: Relation,
  capabilities: Capabilities,
  normalise: NormaliseConstants,
): Promise<ListenerCondition | null> {
  if (where === null) return null
  const tree = isConditionSource(where) ? await where.toCondition(relation.columns) : where
  checkCondition(capabilities, tree)
  const constants = await normalisedConstants(tree, relation.columns, normalise, relation)
  return { tree, constants, types: typesOf(relation) }
}

/** The same text for two conditions on a table that are equal now that PostgreSQL has read their constants. */
export function conditionText({ tree, constants }: ListenerCondition, relation: Relation): string {
  // The same text as SQL may stand for another value each time: 'now'.
  if (constants === AS_WRITTEN) return JSON.stringify(values(tree))
  const bound = bindCondition(tree, relation.columns)
  return JSON.stringify([values(tree), constantsOf(bound).map((constant) => constants.get(constantKey(constant)))])
}

/** A tree without the names of its members: there are many of these texts. */
function values(part: unknown): unknown {
  return typeof part === 'object' && part !== null ? Object.values(part).map(values) : part
}

const TYPES = new WeakMap<Relation, ReadonlyMap<string, ColumnType>>()

/** One map for all the listeners of a relation. */
function typesOf(relation: Relation): ReadonlyMap<string, ColumnType> {
  let types = TYPES.get(relation)
  if (types === undefined) {
    types = new Map(relation.columns.map(({ name, type }) => [name, type]))
    TYPES.set(relation, types)
  }
  return types
}
