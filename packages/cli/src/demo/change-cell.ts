import type { ChangeEvent, Row } from '@rowtap/core'

import type { ChangeColors } from '../format/change-line.ts'
import { kindPaint } from '../format/change-line.ts'
import { displayWidth, shorten } from '../format/display-width.ts'
import { plainValue } from '../format/plain-value.ts'
import { delayText } from './delay-summary.ts'

const SIGNS = { insert: '+', update: '~', delete: '-', truncate: '×' } as const
const DELAY_COLUMNS = 7

/** A change in exactly so many columns: sign, table, key, as much of what changed as fits, and the delay in milliseconds. */
export function changeCell(event: ChangeEvent, delay: number | null, columns: number, colors: ChangeColors): string {
  const room = columns - 2 - DELAY_COLUMNS
  const key = Object.values(event.key ?? {}).map(plainValue)
  const name = shorten([event.table, key.join('/')].join(' ').trimEnd(), room)
  const detail = fitting(detailsOf(event), room - displayWidth(name) - 2)
  const time = (delay === null ? '' : delayText(delay)).padStart(DELAY_COLUMNS)
  const paint = kindPaint(event.kind, colors)
  const gap = ' '.repeat(Math.max(0, Math.min(2, room - displayWidth(name))))
  const padding = ' '.repeat(room - displayWidth(name) - gap.length - displayWidth(detail))
  return `${paint(SIGNS[event.kind])} ${name}${gap}${colors.dim(detail)}${padding}${time}`
}

/** As many of the details as there is room for, each as its first form that fits. */
function fitting(details: readonly (readonly string[])[], room: number): string {
  let text = ''
  for (const forms of details) {
    const form = forms.find(
      (candidate) => displayWidth(text) + displayWidth(candidate) + 2 <= room + (text === '' ? 2 : 0),
    )
    if (form === undefined) break
    text += text === '' ? form : `, ${form}`
  }
  return text
}

/** What there is to say of a change besides table and key, each detail in a long and a short form. */
function detailsOf(event: ChangeEvent): readonly (readonly string[])[] {
  if (event.derivedFrom !== null) return [['key change']]
  if (event.kind === 'insert') return valuesOf(event.new, event.key).map((value) => [value])
  if (event.kind !== 'update' || event.changed === null) return []
  return event.changed.map((column) => {
    const difference = `${plainValue(event.old?.[column])} → ${plainValue(event.new[column])}`
    return [`${column} ${difference}`, difference]
  })
}

/** What a person wants to see of a row at a glance: no key, it is there already, and no time of day. */
function valuesOf(row: Row, key: Partial<Row>): readonly string[] {
  return Object.entries(row)
    .filter(([column, value]) => !Object.hasOwn(key, column) && !(value instanceof Date))
    .map(([, value]) => plainValue(value))
}
