import type { Operation, RequestedCondition, ResumedRequest } from '@rowtap/core/driver'
import type { AttachedTable } from '../publication/attached-tables.ts'
import type { PublicationKind } from '../publication/capture-name.ts'
import type { Published } from '../publication/publication-plan.ts'
import { WHOLE } from '../publication/published-part.ts'
import { lackingOf } from '../publication/lacking-of.ts'

const OPERATIONS: Readonly<Record<PublicationKind, readonly Operation[]>> = {
  all: ['insert', 'update', 'delete', 'truncate'],
  inserts: ['insert', 'truncate'],
}

const IN_DOUBT = 'what was not wanted before the last process with the subscription ended'

/** What a subscription captured when it last ran, as it can be asked for again. */
export function resumedRequests(
  tables: readonly AttachedTable[],
  published: readonly Published[],
  pushesDown: boolean,
): readonly ResumedRequest[] {
  return tables.map(({ oid, table, kind, facts }) => {
    const { part = WHOLE, isInDoubt = false } = published.find((one) => one.oid === oid) ?? {}
    return {
      table,
      operations: new Set(OPERATIONS[kind]),
      columns: part.columns === null ? null : new Set(part.columns),
      comparedEnums: new Set(),
      where: part.rows === null ? null : [asCondition(part.rows.text)],
      lacking: (wish) => (pushesDown && isInDoubt ? IN_DOUBT : lackingOf(wish, part, facts)),
    }
  })
}

/** A filter that PostgreSQL has printed, as it can be asked for again. Nobody tests it but PostgreSQL. */
function asCondition(sql: string): RequestedCondition {
  return { tree: { kind: 'constant', value: true }, sql }
}
