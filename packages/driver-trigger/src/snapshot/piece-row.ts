import type { Tuple } from '@rowtap/core/driver'

/** A row that was read: columns that were not asked for are not there. */
export class PieceRow implements Tuple {
  readonly #texts: readonly (string | null)[]
  readonly #columns: readonly number[]
  readonly #isWhole: boolean

  /**
   * @param columns the columns of the texts, as indexes into those of the relation.
   * @param count how many columns the relation has.
   */
  constructor(texts: readonly (string | null)[], columns: readonly number[], count: number) {
    this.#texts = texts
    this.#columns = columns
    this.#isWhole = columns.length === count
  }

  text(index: number): string | null | undefined {
    if (this.#isWhole) return this.#texts[index]
    const at = this.#columns.indexOf(index)
    return at < 0 ? undefined : this.#texts[at]
  }
}
