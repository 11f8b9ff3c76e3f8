import type { Change } from '../contract/driver.ts'
import type { RelationColumn, Tuple } from '../contract/relation.ts'
import { formatTableName } from '../contract/table-name.ts'
import type { AcknowledgementEntry } from '../delivery/acknowledgement-tracker.ts'
import type { Row } from '../event.ts'
import { RowtapError } from '../rowtap-error.ts'
import { decodeRow } from './decode-row.ts'
import { valueOf } from './value-of.ts'
import type { ProjectedColumn } from './projection.ts'

/** A row as an object, and the columns that it lacks because the database did not send them. */
export interface DecodedRow {
  readonly row: Row
  readonly unavailable: readonly string[]
}

let serials = 0

/** A change on its way to the listeners of its table: what is found out about it for one of them is there for all. */
export class RoutedChange {
  change: Change
  /** No other change has the same, of any client. */
  readonly serial: number
  /** What it is acknowledged with. */
  readonly entry: AcknowledgementEntry
  /** About how much memory it holds, as received. */
  readonly bytes: number
  /** The row after the change: large values that an update left alone are taken from the old row, where it has them. */
  after: Tuple | null
  /** What is known of the row before the change. */
  before: Tuple | null
  /** How many listeners have taken the change. */
  takers = 0
  /** How many listeners have taken it and are not done with it. */
  unfinished = 0
  #decoded:
    | { readonly tuple: Tuple; readonly columns: readonly ProjectedColumn[]; readonly decoded: DecodedRow }[]
    | null = null

  /** @throws RowtapError ERR_DRIVER_CONTRACT where a row is missing. */
  constructor(change: Change, entry: AcknowledgementEntry, bytes: number) {
    this.change = change
    this.serial = ++serials
    this.entry = entry
    this.bytes = bytes
    this.after = rowAfter(change)
    this.before = rowBefore(change)
  }

  /** Lets go of what was received with the change, where it holds on to that. */
  detach(): void {
    const own = this.change.detach?.()
    if (own === undefined) return
    this.change = own
    this.after = rowAfter(own)
    this.before = rowBefore(own)
  }

  /**
   * The row before or after the change, with these columns. Each caller has an object of its own; the values are
   * parsed once for all callers with the same columns, and held until the last of them has handled the change.
   *
   * @throws RowtapError ERR_DECODE where a value cannot be parsed.
   */
  decode(tuple: Tuple, columns: readonly ProjectedColumn[]): DecodedRow {
    if (this.takers <= 1) return decodeRow(this.change, tuple, columns)
    this.#decoded ??= []
    let known = this.#decoded.find((one) => one.tuple === tuple && one.columns === columns)
    if (known === undefined) {
      known = { tuple, columns, decoded: decodeRow(this.change, tuple, columns) }
      this.#decoded.push(known)
    }
    return { row: { ...known.decoded.row }, unavailable: known.decoded.unavailable }
  }
}

function rowAfter(change: Change): Tuple | null {
  if (change.withoutRows === true) return null
  if (change.kind !== 'insert' && change.kind !== 'update') return null
  const row = given(change, change.new)
  return change.kind === 'insert' || change.old === null ? row : new FilledTuple(row, change.old)
}

function rowBefore(change: Change): Tuple | null {
  if (change.withoutRows === true) return null
  if (change.kind === 'delete') return given(change, change.old)
  if (change.kind !== 'update') return null
  return change.old ?? new UnchangedTuple(given(change, change.new), change.relation.oldColumns)
}

function given(change: Change, tuple: Tuple | null): Tuple {
  if (tuple !== null) return tuple
  throw new RowtapError('ERR_DRIVER_CONTRACT', {
    message: `The driver delivered ${change.kind} ${change.id} of table ${formatTableName(change.relation)} without its row.`,
    eventId: change.id,
  })
}

/** A new row whose missing values are taken from the old one. */
class FilledTuple implements Tuple {
  readonly #row: Tuple
  readonly #old: Tuple

  constructor(row: Tuple, old: Tuple) {
    this.#row = row
    this.#old = old
  }

  text(index: number): string | null | undefined {
    const text = this.#row.text(index)
    return text === undefined ? this.#old.text(index) : text
  }

  value(index: number, column: RelationColumn): unknown {
    const value = valueOf(this.#row, index, column)
    // A parser may make `undefined` of a value that was sent.
    return value !== undefined || this.#row.text(index) !== undefined ? value : valueOf(this.#old, index, column)
  }
}

/** The old row of an update that came without one: what an old row would have had is what the new row has. */
class UnchangedTuple implements Tuple {
  readonly #row: Tuple
  readonly #columns: 'all' | readonly number[]

  constructor(row: Tuple, columns: 'all' | readonly number[]) {
    this.#row = row
    this.#columns = columns
  }

  text(index: number): string | null | undefined {
    return this.#has(index) ? this.#row.text(index) : undefined
  }

  value(index: number, column: RelationColumn): unknown {
    return this.#has(index) ? valueOf(this.#row, index, column) : undefined
  }

  #has(index: number): boolean {
    return this.#columns === 'all' || this.#columns.includes(index)
  }
}
