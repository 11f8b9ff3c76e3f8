import type { DriverName } from '../drivers/known-drivers.ts'
import { DRIVER_NAMES } from '../drivers/known-drivers.ts'
import { padTo } from '../format/display-width.ts'
import type { Surroundings } from '../terminal/surroundings.ts'
import { changeCell } from './change-cell.ts'
import type { PairedChange, SeenChange } from './paired-changes.ts'

/** What each driver reads, in a few words. */
const DESCRIPTIONS: Readonly<Record<DriverName, string>> = {
  wal: 'reads the write-ahead log',
  trigger: 'triggers into a queue table',
}

const SEPARATORS = { cells: ' │ ', rule: '─┼─' }
const INDENT = '  '
/** Wider columns would put the two views of one change too far apart. */
const MOST_COLUMNS = 120
const LEAST_COLUMNS = 60

/** Draws the demo: lines that scroll, a column for each driver, and on a terminal a last line that stays. */
export class DemoScreen {
  readonly #around: Surroundings
  #hasFooter = false

  constructor(around: Surroundings) {
    this.#around = around
  }

  /** Prints lines across both columns. */
  async lines(...lines: readonly string[]): Promise<void> {
    for (const line of lines) {
      this.#removeFooter()
      await this.#around.output.write(`${INDENT}${line}`.trimEnd())
    }
  }

  /** Prints the heads of the columns. */
  async heads(): Promise<void> {
    const { bold, dim } = this.#around.colors
    const width = this.#cellColumns()
    await this.lines(
      this.#row((driver) => bold(padTo(driver, width))),
      this.#row((driver) => dim(padTo(DESCRIPTIONS[driver], width))),
      dim(DRIVER_NAMES.map(() => '─'.repeat(width)).join(SEPARATORS.rule)),
    )
  }

  /** Prints one change as each driver saw it. `delayOf` is its delay in milliseconds, as far as it is known. */
  async change(pair: PairedChange, delayOf: (seen: SeenChange) => number | null): Promise<void> {
    const width = this.#cellColumns()
    const cell = (driver: DriverName): string => {
      const seen = pair.get(driver)
      return seen === undefined ? ' '.repeat(width) : changeCell(seen.event, delayOf(seen), width, this.#around.colors)
    }
    await this.lines(this.#row(cell))
  }

  /** Shows, on a terminal, how much each driver has seen, until the next line is printed. */
  footer(seen: ReadonlyMap<DriverName, number>, note: string): void {
    if (!this.#around.isTerminal) return
    this.#removeFooter()
    const width = this.#cellColumns()
    const cells = DRIVER_NAMES.map((driver, index) => {
      const count = `${(seen.get(driver) ?? 0).toLocaleString('en')} changes seen`
      return index === DRIVER_NAMES.length - 1 ? `${padTo(count, width - note.length)}${note}` : padTo(count, width)
    })
    this.#around.output.writeText(this.#around.colors.dim(`${INDENT}${cells.join(SEPARATORS.cells)}`))
    this.#hasFooter = true
  }

  #removeFooter(): void {
    if (this.#hasFooter) this.#around.output.writeText('\r\u001b[2K')
    this.#hasFooter = false
  }

  #row(cell: (driver: DriverName) => string): string {
    return DRIVER_NAMES.map(cell).join(this.#around.colors.dim(SEPARATORS.cells))
  }

  #cellColumns(): number {
    const columns = Math.min(MOST_COLUMNS, Math.max(LEAST_COLUMNS, this.#around.columns())) - INDENT.length
    return Math.floor((columns - SEPARATORS.cells.length * (DRIVER_NAMES.length - 1)) / DRIVER_NAMES.length)
  }
}
