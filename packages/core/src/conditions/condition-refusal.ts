import type { TableName } from '../contract/table-name.ts'
import { formatTableName } from '../contract/table-name.ts'
import type { ErrorCode } from '../rowtap-error.ts'
import { RowtapError } from '../rowtap-error.ts'
import type { ConditionPlaces } from './condition-places.ts'
import { placesOf } from './condition-places.ts'
import type { Condition } from './condition.ts'
import { pointingAt, textPlace } from './text-place.ts'

/** Where a part of a bound condition comes from, for messages. */
export interface ConditionOrigin {
  /** The part of the tree. */
  readonly condition: Condition
  /** `null`: not known. */
  readonly table: TableName | null
}

/** What of a condition is wrong: a number is the index of one of its constants. */
export type ConditionPart = 'column' | 'operator' | number

/** The error for a condition, which points at the place in the text where that was read from one. */
export function conditionRefusal(
  code: ErrorCode,
  sentence: string,
  condition: Condition,
  part: ConditionPart,
): RowtapError {
  const places = placesOf(condition)
  if (places === null) return new RowtapError(code, { message: sentence })
  const place = textPlace(places.text, offsetOf(places, part))
  return new RowtapError(code, { message: pointingAt(sentence, place), cause: place })
}

/** A column's name in a message: `column "total" of table public.orders`. */
export function columnOf(column: string, { table }: Pick<ConditionOrigin, 'table'>): string {
  return `column ${JSON.stringify(column)}${table === null ? '' : ` of table ${formatTableName(table)}`}`
}

function offsetOf(places: ConditionPlaces, part: ConditionPart): number {
  if (typeof part !== 'number') return places[part]
  return places.constants[part] ?? places.operator
}
