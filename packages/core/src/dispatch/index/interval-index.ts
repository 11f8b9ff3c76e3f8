import type { ColumnBound } from '../../conditions/index-key.ts'
import type { Found } from './found.ts'

/** What a column's value lies between; `null`: no end on that side. */
export interface Interval {
  readonly lower: ColumnBound | null
  readonly upper: ColumnBound | null
}

interface Node<M> extends Interval {
  readonly member: M
  /** Tells intervals with the same lower end apart. */
  readonly serial: number
  /** Random: the node with the greatest is on top, which keeps the tree balanced. */
  readonly priority: number
  /** The greatest upper end in the subtree; `null`: one has none. */
  greatest: ColumnBound | null
  left: Node<M> | null
  right: Node<M> | null
}

/**
 * Finds the members whose interval holds a value: an interval tree (a treap by lower end, each node knowing the
 * greatest upper end below it). Adding and removing take O(log n), a visit O(log n) for each member that it finds.
 */
export class IntervalIndex<M extends object> {
  readonly #random: () => number
  #root: Node<M> | null = null
  #serial = 0

  constructor(random: () => number = Math.random) {
    this.#random = random
  }

  get isEmpty(): boolean {
    return this.#root === null
  }

  /** Adds a member with the interval of the values that it may want. Returns the function that removes it. */
  add(member: M, { lower, upper }: Interval): () => void {
    this.#serial += 1
    const node: Node<M> = {
      member,
      lower,
      upper,
      serial: this.#serial,
      priority: this.#random(),
      greatest: upper,
      left: null,
      right: null,
    }
    this.#root = inserted(this.#root, node)
    return () => {
      this.#root = removed(this.#root, node)
    }
  }

  /** Visits the members that may want a value: none for NULL, and each for a value that is not known. Ends count as inside. */
  visit(text: string | null | undefined, visitor: (member: M, found: Found) => void, found: Found): void {
    if (text === undefined) visitAll(this.#root, visitor, found)
    else if (text !== null) visitHolding(this.#root, text, visitor, found)
  }
}

function visitAll<M>(node: Node<M> | null, visitor: (member: M, found: Found) => void, found: Found): void {
  if (node === null) return
  visitAll(node.left, visitor, found)
  visitor(node.member, found)
  visitAll(node.right, visitor, found)
}

function visitHolding<M>(
  node: Node<M> | null,
  text: string,
  visitor: (member: M, found: Found) => void,
  found: Found,
): void {
  if (node === null || (node.greatest !== null && node.greatest.order(text) > 0)) return
  visitHolding(node.left, text, visitor, found)
  // Everything to the right begins where this one does, or after it.
  if (node.lower !== null && node.lower.order(text) < 0) return
  if (node.upper === null || node.upper.order(text) <= 0) visitor(node.member, found)
  visitHolding(node.right, text, visitor, found)
}

/** Whether a node comes before another: by lower end, and in the order of their coming where that is the same. */
function isBefore<M>(node: Node<M>, other: Node<M>): boolean {
  if (node.lower === null || other.lower === null) {
    if (node.lower !== other.lower) return node.lower === null
  } else {
    const order = other.lower.order(node.lower.text)
    if (order !== 0) return order < 0
  }
  return node.serial < other.serial
}

function inserted<M>(root: Node<M> | null, node: Node<M>): Node<M> {
  if (root === null) return updated(node)
  if (node.priority > root.priority) {
    const [left, right] = split(root, node)
    node.left = left
    node.right = right
    return updated(node)
  }
  if (isBefore(node, root)) root.left = inserted(root.left, node)
  else root.right = inserted(root.right, node)
  return updated(root)
}

/** The nodes before `at` and those after it. */
function split<M>(root: Node<M> | null, at: Node<M>): [Node<M> | null, Node<M> | null] {
  if (root === null) return [null, null]
  if (isBefore(root, at)) {
    const [left, right] = split(root.right, at)
    root.right = left
    return [updated(root), right]
  }
  const [left, right] = split(root.left, at)
  root.left = right
  return [left, updated(root)]
}

function removed<M>(root: Node<M> | null, node: Node<M>): Node<M> | null {
  if (root === null) return null
  if (root === node) return merged(root.left, root.right)
  if (isBefore(node, root)) root.left = removed(root.left, node)
  else root.right = removed(root.right, node)
  return updated(root)
}

/** One tree of two, of which the first is before the second. */
function merged<M>(left: Node<M> | null, right: Node<M> | null): Node<M> | null {
  if (left === null || right === null) return left ?? right
  if (left.priority > right.priority) {
    left.right = merged(left.right, right)
    return updated(left)
  }
  right.left = merged(left, right.left)
  return updated(right)
}

function updated<M>(node: Node<M>): Node<M> {
  let greatest = node.upper
  for (const child of [node.left, node.right]) {
    if (child === null || greatest === null) continue
    if (child.greatest === null || greatest.order(child.greatest.text) > 0) greatest = child.greatest
  }
  node.greatest = greatest
  return node
}
