import { NestedOrder } from './nested-order.ts'
import type { BlockHeader, SizedPiece } from './table-order.ts'
import { leaseLost } from './tick-source.ts'

/**
 * Reads what the queue tells of the blocks of a transaction: those with numbers below one, the last first, so many at most.
 *
 * @param root of this table only; `null`: of all.
 */
export type ReadHeaders = (below: number, root: string | null, most: number) => Promise<readonly BlockHeader[]>

/** How many pieces are put in order at a time. */
const STEP = 8192
const HEADERS = 1000
/** How many runs of rows may wait before the block that they wait for is looked up. */
const MOST_WAITING = 256

/** Going back through a transaction. */
interface Pass {
  readonly order: NestedOrder
  /** What was read and not added, the next one last. */
  headers: BlockHeader[]
}

/**
 * The pieces of a nested transaction in order, in bounded memory, however many there are. What comes first is known when the
 * transaction was gone through from its end: on the way it is noted how things stand, now and then. From these places, the
 * last one first, it is gone through again, a step at a time.
 */
export class NestedTransaction {
  readonly #read: ReadHeaders
  readonly #marks: NestedOrder[] = []
  /** The last one comes first. */
  #pieces: SizedPiece[] = []
  #isBegun = false

  constructor(read: ReadHeaders) {
    this.#read = read
  }

  /**
   * The next pieces: so many at most, of blocks that together have no more than so many bytes, but at least one. None at the
   * transaction's end.
   */
  async next(most: number, bytes: number): Promise<readonly SizedPiece[]> {
    await this.#prepare()
    const pieces: SizedPiece[] = []
    const blocks = new Set<number>()
    let left = bytes
    for (let piece = this.#pieces.at(-1); piece !== undefined && pieces.length < most; piece = this.#pieces.at(-1)) {
      if (!blocks.has(piece.seq)) {
        left -= piece.bytes
        if (left < 0 && pieces.length > 0) break
        blocks.add(piece.seq)
      }
      pieces.push(piece)
      this.#pieces.pop()
    }
    return pieces
  }

  /** Whether every piece was returned. */
  get isOver(): boolean {
    return this.#isBegun && this.#pieces.length === 0 && this.#marks.length === 0
  }

  async #prepare(): Promise<void> {
    if (!this.#isBegun) {
      this.#isBegun = true
      await this.#markSteps()
    }
    const mark = this.#pieces.length === 0 ? this.#marks.pop() : undefined
    if (mark === undefined) return
    this.#pieces = await this.#step({ order: mark, headers: [] })
    // What was there when it was gone through is there no more.
    if (this.#pieces.length < STEP) throw leaseLost()
  }

  async #markSteps(): Promise<void> {
    const pass: Pass = { order: new NestedOrder(), headers: [] }
    for (;;) {
      const mark = pass.order.copy()
      const pieces = await this.#step(pass)
      if (pieces.length < STEP) {
        this.#pieces = pieces
        return
      }
      this.#marks.push(mark)
    }
  }

  async #step(pass: Pass): Promise<SizedPiece[]> {
    const pieces: SizedPiece[] = []
    while (pieces.length < STEP) {
      const piece = pass.order.take()
      if (piece !== null) pieces.push(piece)
      else if (pass.order.isWhole) break
      else await this.#add(pass)
    }
    return pieces
  }

  async #add(pass: Pass): Promise<void> {
    const { order } = pass
    const awaited = order.waiting > MOST_WAITING ? order.awaited : null
    if (awaited !== null) {
      const [header] = await this.#read(awaited.below, awaited.root, 1)
      order.addAwaited(awaited.root, header ?? null)
      return
    }
    if (pass.headers.length === 0) pass.headers = [...(await this.#read(order.below, null, HEADERS))].toReversed()
    const header = pass.headers.pop()
    if (header === undefined) order.end()
    else order.add(header)
  }
}
