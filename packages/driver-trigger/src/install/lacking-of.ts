import type { CaptureRequest } from '@rowtap/core/driver'
import type { ShapeContent } from '../catalog/shape.ts'
import type { CapturedPart } from './captured-part.ts'
import { isThere } from './captured-part.ts'

/** What of a wish a part of a table does not hold, as the object of a sentence; `null`: nothing. */
export function lackingOf(
  { columns, where }: Pick<CaptureRequest, 'columns' | 'where'>,
  part: CapturedPart,
  content: ShapeContent,
): string | null {
  const wanted = content.columns.filter(({ name, virtual }) => !virtual && (columns === null || columns.has(name)))
  const missing = wanted.filter(
    ({ name, number }) => part.columns?.some((one) => one.name === name && one.number === number) === false,
  )
  const isHeld =
    part.conditions === null ||
    (where?.every(({ sql }) =>
      part.conditions?.some((one) => one.sql === sql && one.columns.every((column) => isThere(column, content))),
    ) ??
      false)
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
