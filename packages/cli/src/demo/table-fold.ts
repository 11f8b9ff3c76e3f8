import { isDeepStrictEqual } from 'node:util'

import type { ChangeEvent, Row } from '@rowtap/core'

/** A table's rows, kept up to date by nothing but its events. */
export class TableFold {
  readonly #keyColumns: readonly string[]
  readonly #rows = new Map<string, Partial<Row>>()

  constructor(keyColumns: readonly string[], rows: readonly Row[]) {
    this.#keyColumns = keyColumns
    for (const row of rows) this.#rows.set(this.#keyOf(row), row)
  }

  /** Applies one event by its key. */
  apply(event: ChangeEvent): void {
    switch (event.kind) {
      case 'insert':
        this.#rows.set(this.#keyOf(event.key), event.new)
        break
      case 'update': {
        const key = this.#keyOf(event.key)
        this.#rows.set(key, { ...this.#rows.get(key), ...event.new })
        break
      }
      case 'delete':
        this.#rows.delete(this.#keyOf(event.key))
        break
      case 'truncate':
        this.#rows.clear()
        break
    }
  }

  /** Whether it holds exactly these rows, value by value. */
  equals(rows: readonly Row[]): boolean {
    return (
      rows.length === this.#rows.size &&
      // A row's prototype is not part of its value.
      rows.every((row) => isDeepStrictEqual({ ...row }, { ...this.#rows.get(this.#keyOf(row)) }))
    )
  }

  #keyOf(row: Partial<Row>): string {
    return JSON.stringify(this.#keyColumns.map((column) => row[column]))
  }
}
