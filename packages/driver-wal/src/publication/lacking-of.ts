import type { CaptureRequest } from '@rowtap/core/driver'
import type { TableFacts } from '../catalog/table-facts.ts'
import type { PublishedPart } from './published-part.ts'
import { marksOf } from './row-filter.ts'

/** What of a wish a part of a table does not hold, as the object of a sentence; `null`: nothing. */
export function lackingOf(
  { columns, where }: Pick<CaptureRequest, 'columns' | 'where'>,
  part: PublishedPart,
  facts: TableFacts,
): string | null {
  const sent = facts.columns.filter(({ isSent }) => isSent)
  const wanted = sent.filter(({ name }) => columns === null || columns.has(name))
  const listed = part.columns
  const missing = listed === null ? [] : wanted.filter(({ name }) => !listed.includes(name))
  const marks = part.rows?.marks ?? null
  const numbers = new Map(sent.map(({ name, number }) => [name, number]))
  const isHeld =
    marks === null ||
    (where?.every((condition) => marksOf(condition, numbers).every((mark) => marks.includes(mark))) ?? false)
  const lacking = [
    ...(isHeld ? [] : ['rows that no condition was true of then']),
    ...(missing.length === 0
      ? []
      : [
          `the ${missing.length === 1 ? 'value' : 'values'} of ${missing.map(({ name }) => JSON.stringify(name)).join(', ')}`,
        ]),
  ]
  return lacking.length === 0 ? null : lacking.join(' and ')
}
