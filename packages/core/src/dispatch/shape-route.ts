import type { Operation } from '../capabilities/capabilities.ts'
import { compileCondition } from '../conditions/compile-condition.ts'
import type { Relation } from '../contract/relation.ts'
import type { TableListener } from '../delivery/table-listener.ts'
import type { Binding } from './binding.ts'
import type { Found } from './index/found.ts'
import { AFTER, BEFORE, UNKNOWN } from './index/found.ts'
import type { Placement } from './index/listener-index.ts'
import { ListenerIndex } from './index/listener-index.ts'
import type { ListenerCondition } from './listener-condition.ts'
import { conditionText } from './listener-condition.ts'
import type { Projection } from './projection.ts'
import type { RoutedChange } from './routed-change.ts'
import type { ConditionTruth } from './row-condition.ts'
import { conditionTruth, EVERY_ROW, RowCondition } from './row-condition.ts'
import type { Share } from './shared-values.ts'
import { SharedValues } from './shared-values.ts'
import { transitionOf } from './transition-of.ts'

/** A listener on rows of one shape. */
interface Member {
  readonly listener: TableListener
  readonly projection: Share<Projection>
  readonly condition: ListenerCondition | null
  /** The condition, ready to be tested. Made when it is first needed: most often the index finds what it is. */
  tested: Share<RowCondition> | null
  /** What the condition asks besides being found: most often nothing, or what others ask too. */
  rest: Share<RowCondition> | null
  /** The number of the last change for which it was found, and for which versions of the row. */
  seen: number
  found: Found
  placement: Placement | null
}

/** Finds, for changes of rows of one shape, the listeners that want them. */
export class ShapeRoute {
  /** One relation of the shape. */
  readonly relation: Relation
  readonly #members = new Map<TableListener, Member>()
  /** By the listeners' sets of operations, so that nobody is looked at for an operation that it does not want. */
  readonly #indexes = new Map<ReadonlySet<Operation>, ListenerIndex<Member>>()
  /** The same, to be gone through with each change. */
  #indexesInTurn: readonly { readonly operations: ReadonlySet<Operation>; readonly index: ListenerIndex<Member> }[] = []
  readonly #projections = new SharedValues<Projection>()
  readonly #conditions = new SharedValues<RowCondition>()
  /** The members that may want the change at hand. */
  readonly #candidates: Member[] = []
  #serial = 0

  constructor(relation: Relation) {
    this.relation = relation
  }

  add(listener: TableListener, condition: ListenerCondition | null, binding: Binding): void {
    const { columns, key, operations } = listener.request
    const member: Member = {
      listener,
      projection: this.#projections.share(JSON.stringify([columns, key]), () => binding.projection),
      condition,
      tested: null,
      rest: null,
      seen: 0,
      found: UNKNOWN,
      placement: null,
    }
    const index = this.#indexOf(operations)
    const { placement, rest } = index.add(member, condition)
    member.placement = placement
    if (condition !== null && rest !== null) member.rest = this.#share({ ...condition, tree: rest })
    this.#members.set(listener, member)
  }

  remove(listener: TableListener): void {
    const member = this.#members.get(listener)
    if (member === undefined) return
    this.#members.delete(listener)
    member.placement?.remove()
    this.#projections.giveBack(member.projection)
    if (member.tested !== null) this.#conditions.giveBack(member.tested)
    if (member.rest !== null) this.#conditions.giveBack(member.rest)
  }

  /**
   * Hands a change to the listeners that want it, and adds them to `takers`.
   *
   * @throws RowtapError ERR_SETUP_REQUIRED where a value that a condition needs was not sent.
   */
  route(routed: RoutedChange, takers: Set<TableListener>): void {
    const { kind } = routed.change
    this.#serial = routed.serial
    if (kind === 'truncate') this.#collectForTruncate()
    else this.#collect(routed, kind)
    for (const member of this.#candidates) {
      const { listener, projection } = member
      const transition = transitionOf(routed, projection.value, this.#truthFor(member, routed))
      if (transition === null) continue
      if (!listener.offer({ routed, projection: projection.value, transition, next: null })) continue
      routed.takers += 1
      takers.add(listener)
    }
    this.#candidates.length = 0
  }

  #indexOf(operations: ReadonlySet<Operation>): ListenerIndex<Member> {
    const known = this.#indexes.get(operations)
    if (known !== undefined) return known
    const index = new ListenerIndex<Member>(this.relation)
    this.#indexes.set(operations, index)
    this.#indexesInTurn = [...this.#indexesInTurn, { operations, index }]
    return index
  }

  /** Emptying a table concerns every condition. */
  #collectForTruncate(): void {
    for (const member of this.#members.values()) {
      if (member.listener.request.operations.has('truncate')) this.#candidates.push(member)
    }
  }

  #collect(routed: RoutedChange, kind: Operation): void {
    for (const { operations, index } of this.#indexesInTurn) {
      if (operations.has(kind)) index.visit(routed.before, routed.after, this.#visit)
    }
  }

  readonly #visit = (member: Member, found: Found): void => {
    if (member.seen === this.#serial) {
      member.found |= found
      return
    }
    member.seen = this.#serial
    member.found = found
    this.#candidates.push(member)
  }

  /** What the index has found out about a condition is not tested again. */
  #truthFor(member: Member, routed: RoutedChange): ConditionTruth {
    const { condition, rest, found } = member
    if (condition === null || routed.change.kind === 'truncate') return EVERY_ROW
    if ((found & UNKNOWN) !== 0) {
      member.tested ??= this.#share(condition)
      return member.tested.value.truthOf(routed)
    }
    if (rest !== null) return rest.value.truthOf(routed, found)
    return conditionTruth((found & BEFORE) !== 0, (found & AFTER) !== 0)
  }

  #share(condition: ListenerCondition): Share<RowCondition> {
    const { columns } = this.relation
    return this.#conditions.share(
      conditionText(condition, this.relation),
      () => new RowCondition(compileCondition(condition.tree, columns, condition.constants)),
    )
  }
}
