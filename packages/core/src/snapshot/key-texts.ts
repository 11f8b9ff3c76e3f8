import type { Change } from '../contract/driver.ts'
import type { Relation, Tuple } from '../contract/relation.ts'
import { formatTableName } from '../contract/table-name.ts'
import type { KeyTexts } from '../contract/snapshot-source.ts'
import { RowtapError } from '../rowtap-error.ts'

/** Reads keys out of rows, whatever the shape of their table is at the time. */
export class KeyReader {
  readonly #columns: readonly string[]
  readonly #types: readonly (string | undefined)[]
  readonly #indexes = new WeakMap<Relation, readonly number[]>()

  /** @param relation the table as it is now: keys of other types could not be compared with those that were read. */
  constructor(columns: readonly string[], relation: Relation) {
    this.#columns = columns
    this.#types = columns.map((name) => typeOf(relation, name))
  }

  /** @throws RowtapError ERR_SETUP_REQUIRED where the row came without its key. */
  keyOf(tuple: Tuple | null, relation: Relation, change: Pick<Change, 'id' | 'kind'>): KeyTexts {
    return this.#indexesIn(relation).map((index, at) => {
      const text = tuple?.text(index)
      if (text !== undefined && text !== null) return text
      throw new RowtapError('ERR_SETUP_REQUIRED', {
        message: `A ${change.kind} of table ${formatTableName(relation)} arrived without the key column ${JSON.stringify(this.#columns[at])}, by which the table's rows are read.`,
        eventId: change.id,
      })
    })
  }

  #indexesIn(relation: Relation): readonly number[] {
    let indexes = this.#indexes.get(relation)
    if (indexes === undefined) {
      if (this.#columns.some((name, at) => typeOf(relation, name) !== this.#types[at])) throw keyAltered(relation)
      indexes = this.#columns.map((name) => relation.columns.findIndex((column) => column.name === name))
      this.#indexes.set(relation, indexes)
    }
    return indexes
  }
}

function typeOf(relation: Relation, name: string): string | undefined {
  return relation.columns.find((column) => column.name === name)?.type.castName
}

function keyAltered(relation: Relation): RowtapError {
  return new RowtapError('ERR_SETUP_REQUIRED', {
    message: `The key of table ${formatTableName(relation)} was altered while its rows were read: start the listener again.`,
  })
}
