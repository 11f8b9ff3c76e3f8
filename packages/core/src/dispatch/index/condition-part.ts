import type { BoundedColumn } from '../../conditions/bounded-columns.ts'
import { boundedColumns } from '../../conditions/bounded-columns.ts'
import type { Condition } from '../../conditions/condition.ts'
import type { FixedColumn } from '../../conditions/index-key.ts'
import { fixedColumns } from '../../conditions/index-key.ts'
import type { Relation } from '../../contract/relation.ts'
import type { ListenerCondition } from '../listener-condition.ts'

/** What a condition asks besides a part of it; `null`: nothing. */
export interface Remainder {
  readonly rest: Condition | null
}

/** The part of a condition that fixes a column to values. The condition is true where that part is and the rest. */
export type FixedPart = Pick<FixedColumn, 'index' | 'keys'> & Remainder

/** The part of a condition that confines a column. */
export type BoundedPart = Pick<BoundedColumn, 'index' | 'order' | 'lower' | 'upper'> & Remainder

/** Each part of a condition on rows of this relation that fixes a column. */
export function fixedParts({ tree, constants }: ListenerCondition, { columns }: Relation): readonly FixedPart[] {
  const all = conjuncts(tree)
  return all.flatMap((part) =>
    fixedColumns(part, columns, constants).map(({ index, keys }) => ({
      index,
      keys,
      rest: conjunction(all.filter((other) => other !== part)),
    })),
  )
}

/** For each column that a condition confines, all the parts of it that do. */
export function boundedParts({ tree, constants }: ListenerCondition, { columns }: Relation): readonly BoundedPart[] {
  const all = conjuncts(tree)
  const byColumn = new Map<number, Condition[]>()
  for (const part of all) {
    for (const { index, decides } of boundedColumns(part, columns, constants)) {
      if (!decides) continue
      const parts = byColumn.get(index)
      if (parts === undefined) byColumn.set(index, [part])
      else parts.push(part)
    }
  }
  return [...byColumn.values()].flatMap((parts) =>
    boundedColumns({ kind: 'and', conditions: parts }, columns, constants).map(({ index, order, lower, upper }) => ({
      index,
      order,
      lower,
      upper,
      rest: conjunction(all.filter((other) => !parts.includes(other))),
    })),
  )
}

function conjuncts(condition: Condition): readonly Condition[] {
  return condition.kind === 'and' ? condition.conditions.flatMap(conjuncts) : [condition]
}

function conjunction(conditions: readonly Condition[]): Condition | null {
  const [first, second] = conditions
  return second === undefined ? (first ?? null) : { kind: 'and', conditions }
}
