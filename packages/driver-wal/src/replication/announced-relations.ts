import type { Relation } from '@rowtap/core/driver'

/** A shape as changes refer to it. */
export interface AnnouncedRelation {
  readonly oid: number
  readonly relation: Relation
  readonly columns: number
}

interface InForce extends AnnouncedRelation {
  readonly arrival: number
}

/**
 * Knows which shape the changes of a table have: the one that was announced last.
 *
 * What is announced within a transaction that comes in parts holds for that transaction alone until it is committed.
 * From then on the server counts it as announced, unless another shape was meanwhile.
 */
export class AnnouncedRelations {
  readonly #inForce = new Map<number, InForce>()
  #ofTransaction: Map<number, AnnouncedRelation> | null = null
  #arrivals = 0

  /** A shape has arrived now: the greater the number, the later. */
  arrival(): number {
    this.#arrivals += 1
    return this.#arrivals
  }

  /** From now on changes of the table are of this shape. */
  set(announced: AnnouncedRelation): void {
    if (this.#ofTransaction === null) this.#inForce.set(announced.oid, { ...announced, arrival: this.arrival() })
    else this.#ofTransaction.set(announced.oid, announced)
  }

  /** The shape of a table's changes. */
  get(oid: number): AnnouncedRelation | undefined {
    return this.#ofTransaction?.get(oid) ?? this.#inForce.get(oid)
  }

  /** From now on changes are of these relations, each of the same shape as the one before. */
  redefine(current: (relation: Relation) => Relation): void {
    redefineAll(this.#inForce, current)
    redefineAll(this.#ofTransaction ?? new Map<number, AnnouncedRelation>(), current)
  }

  /** What follows is of one transaction that came in parts. */
  enter(): void {
    this.#ofTransaction = new Map()
  }

  /** @param arrivals when the transaction's last shape of each table had arrived, by object id. */
  leave(arrivals: ReadonlyMap<number, number>): void {
    for (const [oid, announced] of this.#ofTransaction ?? []) {
      const arrival = arrivals.get(oid) ?? 0
      if (arrival > (this.#inForce.get(oid)?.arrival ?? 0)) this.#inForce.set(oid, { ...announced, arrival })
    }
    this.#ofTransaction = null
  }
}

function redefineAll<A extends AnnouncedRelation>(
  relations: Map<number, A>,
  current: (relation: Relation) => Relation,
): void {
  for (const [oid, announced] of relations) {
    const relation = current(announced.relation)
    if (relation !== announced.relation) relations.set(oid, { ...announced, relation })
  }
}
