import type { TableName } from '@rowtap/core/driver'
import type { TableFacts } from '../catalog/table-facts.ts'
import type { PublicationKind } from './capture-name.ts'
import { Memberships } from './memberships.ts'
import type { KnownPartition } from './partition.ts'

/** A table that is captured, under the name that it had when its capture began. */
export interface AttachedTable {
  readonly oid: number
  readonly table: TableName
  /** What is wanted of it. */
  readonly kind: PublicationKind
  /** As it was when it was attached, or another table was since. */
  readonly facts: TableFacts
  /** What was below it when that was compared with what was known before. Left out: what its facts say. */
  readonly partitions?: readonly KnownPartition[]
}

/** The tables that are captured now. A table stays the same whatever it is called meanwhile. */
export class AttachedTables {
  #tables: readonly AttachedTable[] = []
  /** Also of tables that nobody wants any more: changes of them may be under way. */
  readonly #names = new Map<number, TableName>()

  /**
   * Tables, with everything below them, that were published and whose earlier writers may not have ended: whoever adds
   * one may lose its connection before it knows.
   */
  readonly unsettled: Set<number> = new Set<number>()

  /** Tables of which not every column may have been published: changes of them may come without the others. */
  readonly inPart: Set<number> = new Set<number>()

  /** The publications that their changes come through. */
  publications: readonly string[] = []

  /** What places they have in the publications. */
  readonly memberships: Memberships = new Memberships()

  get all(): readonly AttachedTable[] {
    return this.#tables
  }

  /** The name that a table's changes are delivered under; `undefined` where it was never attached. */
  nameOf(oid: number): TableName | undefined {
    return this.#names.get(oid)
  }

  byOid(oid: number): AttachedTable | undefined {
    return this.#tables.find((attached) => attached.oid === oid)
  }

  byName(table: TableName): AttachedTable | undefined {
    return this.#tables.find((attached) => isSame(attached.table, table))
  }

  /**
   * Names tables, before the first change of them can arrive.
   *
   * @returns those that had another name.
   */
  name(tables: readonly AttachedTable[]): readonly AttachedTable[] {
    const renamed = tables.filter(({ oid, table }) => !isSame(this.#names.get(oid) ?? table, table))
    for (const { oid, table } of tables) this.#names.set(oid, table)
    return renamed
  }

  /** From now on these, which have their names, are captured and no others. */
  replace(tables: readonly AttachedTable[]): void {
    for (const [oid, name] of this.#names) {
      // A table whose name is another one's now must not be taken for it, should it stay published for a while.
      const isTaken =
        tables.some(({ table }) => isSame(table, name)) && !tables.some((attached) => attached.oid === oid)
      if (isTaken) this.#names.delete(oid)
    }
    this.#tables = tables
  }
}

function isSame(one: TableName, other: TableName): boolean {
  return one.schema === other.schema && one.name === other.name
}
