import type { DeliveredEvent, EventKind, Row } from '@rowtap/core'

import { clockTime } from './clock-time.ts'
import { padTo, shorten } from './display-width.ts'
import type { LineSegment, Paint } from './line-segments.ts'
import { joinSegments } from './line-segments.ts'
import { plainName, plainTable, plainValue } from './plain-value.ts'

/** The colours that lines of changes use. */
export interface ChangeColors {
  readonly dim: Paint
  readonly bold: Paint
  readonly green: Paint
  readonly yellow: Paint
  readonly red: Paint
  readonly magenta: Paint
}

/** How lines of changes look. */
export interface ChangeLineStyle {
  readonly colors: ChangeColors
  /** The width of the terminal, to which long values are shortened; `null` where nothing is. */
  readonly columns: number | null
  /** The width of the column that holds the table's name. */
  readonly tableWidth: number
}

/** At most so many columns of a terminal for one value, so that one long text does not hide all others. */
const VALUE_COLUMNS = 32

/** One event as a line for a person: time of commit, kind, table, key, and what changed. */
export function changeLine(event: DeliveredEvent, style: ChangeLineStyle): string {
  const { dim, bold } = style.colors
  const table = plainTable({ schema: event.schema, name: event.table })
  const commitTime = event.transaction?.commitTime ?? null
  const segments: LineSegment[] = [
    {
      text: commitTime === null ? '-           ' : clockTime(commitTime),
      paint: dim,
    },
    { text: `  ${padTo(event.kind, 8)}`, paint: kindPaint(event.kind, style.colors) },
    { text: `  ${event.kind === 'truncate' ? table : padTo(table, style.tableWidth)}` },
  ]
  if (event.key !== null) {
    for (const segment of pairs(event.key, style))
      segments.push(segment.paint === undefined ? { ...segment, paint: bold } : segment)
  }
  segments.push(...details(event, style))
  return joinSegments(segments, style.columns)
}

function details(event: DeliveredEvent, style: ChangeLineStyle): readonly LineSegment[] {
  const { dim } = style.colors
  const notes: LineSegment[] = []
  // Either it changed the key, or the row came into the condition or left it: the event does not tell which.
  if (event.derivedFrom !== null) notes.push({ text: '  (by an update)', paint: dim })
  if (event.kind === 'update' && event.changed?.length === 0) notes.push({ text: '  (nothing changed)', paint: dim })
  if (event.unavailable.length > 0 && event.kind !== 'delete') {
    notes.push({ text: `  (not sent: ${event.unavailable.map(plainName).join(', ')})`, paint: dim })
  }
  switch (event.kind) {
    case 'insert':
    case 'snapshot':
      return [...pairs(without(event.new, event.key), style), ...notes]
    case 'update':
      return [...differences(event.new, event.old, event.changed, event.key, style), ...notes]
    case 'delete':
      return [...notes, ...pairs(without(event.old, event.key), style).map(({ text }) => ({ text, paint: dim }))]
    case 'truncate':
      return notes
    case 'signal':
      return [{ text: `  ${event.operation}` }]
  }
}

/** `status: new → paid` for what is known to differ; the whole row where that is not known. */
function differences(
  after: Partial<Row>,
  before: Partial<Row> | null,
  changed: readonly string[] | null,
  key: Partial<Row>,
  style: ChangeLineStyle,
): readonly LineSegment[] {
  if (changed === null || before === null) return pairs(without(after, key), style)
  return changed.flatMap((column) => [
    { text: `  ${plainName(column)}: `, paint: style.colors.dim },
    { text: Object.hasOwn(before, column) ? short(before[column], style) : '?' },
    { text: ' → ', paint: style.colors.dim },
    { text: Object.hasOwn(after, column) ? short(after[column], style) : '?' },
  ])
}

function pairs(row: Partial<Row>, style: ChangeLineStyle): readonly LineSegment[] {
  return Object.entries(row).flatMap(([column, value]) => [
    { text: `  ${plainName(column)}=`, paint: style.colors.dim },
    { text: short(value, style) },
  ])
}

function without(row: Partial<Row>, key: Partial<Row>): Partial<Row> {
  return Object.fromEntries(Object.entries(row).filter(([column]) => !Object.hasOwn(key, column)))
}

function short(value: unknown, style: ChangeLineStyle): string {
  if (style.columns === null) return plainValue(value)
  // Escaping a megabyte to show a few of its characters would be waste.
  const text = typeof value === 'string' && value.length > 4 * VALUE_COLUMNS ? value.slice(0, 4 * VALUE_COLUMNS) : value
  return shorten(plainValue(text), VALUE_COLUMNS)
}

/** The colour of a kind of change. */
export function kindPaint(kind: EventKind, colors: ChangeColors): Paint {
  const { dim, green, yellow, red, magenta } = colors
  return { insert: green, update: yellow, delete: red, truncate: magenta, snapshot: dim, signal: yellow }[kind]
}
