import { holdsEnum } from '../conditions/holds-enum.ts'
import type { CaptureRequest } from '../contract/driver.ts'
import type { Relation } from '../contract/relation.ts'
import type { Binding } from '../dispatch/binding.ts'
import type { ListenRequest } from '../options/listen-request.ts'
import type { CaptureWish } from './capture-set.ts'

/** What a subscription captured of a table when it last ran. */
export function resumedWish({ table, operations, rows, columns, where }: CaptureRequest): CaptureWish {
  // A driver that is told of conditions gives all that it captured as one.
  const [condition = null] = where ?? []
  return { table, operations, rows: rows !== false, columns: columns === null ? null : [...columns], condition }
}

/** What a listener needs of its table. */
export function listenerWish(request: ListenRequest, { relation, projection, condition }: Binding): CaptureWish {
  const { table, operations, columns, rows } = request
  // Some column, where the source has to send any: that of the key is small.
  if (!rows) return { table, operations, rows, columns: keyOrAll(relation) }
  const tested = (condition?.columns ?? []).flatMap((index) => relation.columns[index] ?? [])
  const comparedEnums = tested.filter(({ type }) => holdsEnum(type)).map(({ name }) => name)
  // There may be many listeners: most need nothing of their own to say what they wish.
  if (columns === null && comparedEnums.length === 0) return request
  const taken = [...projection.columns, ...projection.key, ...tested].map(({ name }) => name)
  const wish = { table, operations, columns: columns === null ? null : [...new Set(taken)] }
  return comparedEnums.length === 0 ? wish : { ...wish, comparedEnums }
}

function keyOrAll({ columns, primaryKey }: Relation): readonly string[] | null {
  return primaryKey.length === 0 ? null : primaryKey.flatMap((index) => columns[index]?.name ?? [])
}
