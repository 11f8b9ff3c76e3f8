import type { RequestedCondition, ResumedRequest } from '@rowtap/core/driver'
import { WHOLE } from '../install/captured-part.ts'
import { lackingOf } from '../install/lacking-of.ts'
import { filterText } from '../install/row-filter.ts'
import type { ConsumerState } from './consumer-state.ts'

const IN_DOUBT = 'what was not wanted before the last process with the subscription ended'

/** What a subscription captured when it last ran, as it can be asked for again. */
export function resumedRequests(state: ConsumerState): readonly ResumedRequest[] {
  return [...state.wanted].map(([oid, table]) => {
    const part = state.parts.get(oid) ?? WHOLE
    const isInDoubt = state.parts.has(oid) && !state.inForce.has(oid)
    return {
      table,
      operations: new Set([...part.operations, 'truncate']),
      ...(part.rows ? {} : { rows: false as const }),
      columns: part.columns === null ? null : new Set(part.columns.map(({ name }) => name)),
      comparedEnums: new Set(),
      where: part.conditions === null ? null : [asCondition(filterText(part.conditions))],
      lacking: (wish) => {
        if (isInDoubt) return IN_DOUBT
        const content = state.contents.get(oid)
        return content === undefined ? null : lackingOf(wish, part, content)
      },
    }
  })
}

/** Several conditions, as they can be asked for again. Nobody tests them but PostgreSQL. */
function asCondition(sql: string): RequestedCondition {
  return { tree: { kind: 'constant', value: true }, sql }
}
