import type { ColumnType, EnumType } from './column-type.ts'

/**
 * What makes a condition mean another thing under `now` than under `before`, as the end of a sentence about the column;
 * `null`: it means the same, as long as it can be compiled for `now`.
 *
 * Collations are not compared: equality is the same under all under which it can be compiled, and so is an order.
 */
export function typeAlteration(before: ColumnType, now: ColumnType): string | null {
  if (before === now) return null
  if (before.castName !== now.castName || before.kind !== now.kind) {
    return before.displayName === now.displayName
      ? `its type ${now.displayName} is another one of that name`
      : `its type is now ${now.displayName}`
  }
  if (before.kind === 'enum' && now.kind === 'enum') return labelAlteration(before, now)
  if (before.kind === 'array' && now.kind === 'array') return typeAlteration(before.element, now.element)
  if (before.kind === 'range' && now.kind === 'range') return typeAlteration(before.subtype, now.subtype)
  if (before.kind === 'multirange' && now.kind === 'multirange') return typeAlteration(before.range, now.range)
  return null
}

/**
 * Labels that are added change nothing between those that were there. Either of the two may be the later one. Names that
 * were changed back are no longer those of the rows that were written meanwhile.
 */
function labelAlteration(before: EnumType, now: EnumType): string | null {
  const [fewer, more] = before.labelIds.length <= now.labelIds.length ? [before, now] : [now, before]
  const kept = new Set(fewer.labelIds)
  const isSame = JSON.stringify(labelsIn(fewer, kept)) === JSON.stringify(labelsIn(more, kept))
  return isSame ? null : `the labels of its type ${now.displayName} were given other names`
}

function labelsIn(type: EnumType, ids: ReadonlySet<string>): readonly (string | undefined)[] {
  return type.labelIds.flatMap((id, index) => (ids.has(id) ? [id, type.labels[index]] : []))
}
