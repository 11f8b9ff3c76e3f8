import type { ColumnFacts } from './table-facts.ts'

type TypeOfColumn = Pick<ColumnFacts, 'typeOid' | 'typeModifier'>

/** What a type is that a column has. */
type FoundType = Pick<ColumnFacts, 'baseTypeOid' | 'mayBeToasted'>

/** What was found of types when they were looked up: they may be dropped while changes that have them are still to come. */
export class KnownTypes {
  readonly #found = new Map<string, FoundType>()

  /** Takes note of the types of columns. */
  add(columns: readonly ColumnFacts[]): void {
    for (const { typeOid, typeModifier, baseTypeOid, mayBeToasted: large } of columns) {
      this.#found.set(keyOf({ typeOid, typeModifier }), { baseTypeOid, mayBeToasted: large })
    }
  }

  /** What was found of a column's type; `undefined` where it was never looked up. */
  of(column: TypeOfColumn): FoundType | undefined {
    return this.#found.get(keyOf(column))
  }
}

function keyOf({ typeOid, typeModifier }: TypeOfColumn): string {
  return `${typeOid} ${typeModifier}`
}
