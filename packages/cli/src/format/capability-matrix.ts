import type { Capabilities, CapabilityName, Cell } from '@rowtap/core'
import { CAPABILITY_QUESTIONS, capabilityNames, cellOf } from '@rowtap/core'

import { padTo } from './display-width.ts'
import type { Paint } from './line-segments.ts'

/** The colours of the matrix on a terminal. */
export interface MatrixColors {
  readonly dim: Paint
  readonly bold: Paint
  readonly green: Paint
  readonly cyan: Paint
}

/** What the three kinds of cell mean, in the order of the matrix. */
const LEGEND: readonly (readonly [string, string])[] = [
  ['database', 'inside PostgreSQL'],
  ['process', 'by rowtap, in the program that listens'],
  ['no', 'not supported: what asks for it is refused'],
]

/** The matrix as text with aligned columns: one line for each capability, one column for each driver. */
export function capabilityMatrix(drivers: readonly Capabilities[], colors: MatrixColors): string {
  const names = capabilityNames()
  const questionWidth = Math.max(...names.map((name) => question(name).length)) + 2
  const cellWidth = Math.max(...drivers.map((driver) => driver.driver.length), 'database'.length) + 2
  const lines: string[] = []
  let group = ''
  for (const name of names) {
    const nextGroup = groupOf(name)
    if (nextGroup !== group) {
      const heads = group === '' ? drivers.map((driver) => padTo(driver.driver, cellWidth)).join('') : ''
      if (group !== '') lines.push('')
      lines.push(colors.bold(`${padTo(nextGroup, questionWidth + 2)}${heads}`.trimEnd()))
      group = nextGroup
    }
    const cells = drivers.map((driver) => paintCell(cellOf(driver, name), cellWidth, colors))
    lines.push(`  ${padTo(question(name), questionWidth)}${cells.join('')}`.trimEnd())
  }
  lines.push('', ...LEGEND.map(([word, meaning]) => colors.dim(`${padTo(word, 10)}${meaning}`)))
  return lines.join('\n')
}

/** The matrix as a table in Markdown, as the README shows it. */
export function capabilityMarkdown(drivers: readonly Capabilities[]): string {
  const rows = [
    ['', ...drivers.map((driver) => `\`${driver.driver}\``)],
    ['---', ...drivers.map(() => '---')],
    ...capabilityNames().map((name) => [
      CAPABILITY_QUESTIONS[name],
      ...drivers.map((driver) => cellOf(driver, name) || '–'),
    ]),
  ]
  return rows.map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}

/** The matrix as an object: each capability's cell by driver, `false` for what is not supported. */
export function capabilityObject(
  drivers: readonly Capabilities[],
): Readonly<Record<string, Readonly<Record<string, Cell>>>> {
  return Object.fromEntries(
    capabilityNames().map((name) => [
      name,
      Object.fromEntries(drivers.map((driver) => [driver.driver, cellOf(driver, name)])),
    ]),
  )
}

function question(name: CapabilityName): string {
  return CAPABILITY_QUESTIONS[name].replaceAll('`', '')
}

function groupOf(name: CapabilityName): string {
  return name.slice(0, name.indexOf('.'))
}

function cellWord(cell: Cell): string {
  return cell === false ? 'no' : cell
}

function paintCell(cell: Cell, width: number, colors: MatrixColors): string {
  const paint = cell === 'database' ? colors.green : cell === 'process' ? colors.cyan : colors.dim
  const word = cellWord(cell)
  return paint(word) + ' '.repeat(width - word.length)
}
