/** What the queue tells about a block of changes, besides the changes. */
export interface BlockHeader {
  readonly seq: number
  readonly root: string
  readonly operation: string
  readonly rows: number
  /** About how many bytes its rows have. */
  readonly bytes: number
  /** What a statement trigger wrote; `null` for a single change that a row trigger captured, and for a TRUNCATE. */
  readonly statement: {
    /** The number of the block's first change among those of its statement. */
    readonly first: number
    /** Grows with every statement that another one causes; `null` where the session had done but one kind of operation. */
    readonly level: number | null
    /** How many rows of the table the session had inserted, updated and deleted when the statement ended. */
    readonly done: Counts
  } | null
}

/** Numbers of rows: inserted, updated, deleted. */
export type Counts = readonly [inserted: number, updated: number, deleted: number]

type Axis = 0 | 1 | 2

/** A part of a block: its changes from one to before another. */
export interface Piece {
  readonly seq: number
  readonly from: number
  readonly to: number
}

/** The same, for who reads it. */
export interface SizedPiece extends Piece {
  /** About how many bytes the rows of the whole block have. */
  readonly bytes: number
}

interface Statement {
  readonly axis: Axis
  readonly rows: number
  readonly level: number | null
  /** `null`: nothing is known of it but that it stands where it stands. */
  readonly done: Counts | null
  /** From the last to the first. */
  readonly blocks: readonly Block[]
}

interface Block {
  readonly seq: number
  readonly first: number
  readonly bytes: number
}

/** A statement that is not all in place yet. */
interface Member {
  readonly statement: Statement
  readonly done: Counts
  /** How many of its rows, its first ones, are not in place. */
  left: number
  /** How many rows of its kind the session had written where the last one of these was. */
  reached: number
}

/** The parts of one statement that write to the table, the last one to end first. What one causes the others cause, too. */
interface Group {
  readonly members: Member[]
  /** How many rows all of it has written, with what it caused. */
  readonly wrote: [inserted: number, updated: number, deleted: number]
}

/** Rows of a statement, from one to before another. */
interface Run {
  readonly statement: Statement
  readonly from: number
  readonly to: number
}

const AXES: Readonly<Record<string, Axis>> = { I: 0, U: 1, D: 2 }
/** From the last to the first: what is deleted comes first, what is inserted last. */
const BACKWARDS: readonly Axis[] = [0, 1, 2]

/**
 * Puts what one transaction has written to one table into the order in which it was written, going back from its end. Blocks
 * come from the last number to the first.
 *
 * A statement that was caused by another one (by a trigger, or by a function that it calls) ended first, while the other
 * one may have written some of its rows before it. How many rows the table's session had written when a statement ended
 * tells how many that were: going back from the end of the outer statement, what was written since the end of the inner
 * one are the outer one's last rows, and so on.
 *
 * Parts of one statement that write to the same table (ON CONFLICT, MERGE, WITH) know no such order. They never change the
 * same row, but one may reuse a key that another has set free: deletes come first, then updates, then inserts.
 *
 * What it keeps in memory is as much as there are statements within statements at one moment, and the numbers of their blocks.
 */
export class TableOrder {
  /** The number of the block that was added last. */
  addedLast: number = Number.POSITIVE_INFINITY
  /** The blocks of a statement whose first one is still to come. */
  #begun: Block[] = []
  #last: BlockHeader | null = null
  #open: Group[] = []
  #runs: Run[] = []
  /** How many rows of the first run are left. */
  #nextTo: number | null = null
  #earliest = Number.POSITIVE_INFINITY

  /** How many runs of rows are in place, and not taken. */
  get waiting(): number {
    return this.#runs.length
  }

  /** The same again, to go on from here twice. */
  copy(): TableOrder {
    const copy = new TableOrder()
    copy.addedLast = this.addedLast
    copy.#begun = [...this.#begun]
    copy.#last = this.#last
    copy.#open = this.#open.map(({ members, wrote }) => ({
      members: members.map((one) => ({ ...one })),
      wrote: [...wrote],
    }))
    copy.#runs = [...this.#runs]
    copy.#nextTo = this.#nextTo
    copy.#earliest = this.#earliest
    return copy
  }

  /** The block before those that were added. */
  add(block: BlockHeader): void {
    const { seq, bytes, statement } = block
    this.addedLast = seq
    this.#last ??= block
    this.#begun.push({ seq, bytes, first: statement?.first ?? 0 })
    // The blocks of one statement follow each other.
    if (statement !== null && statement.first > 0) return
    const made = statementOf(this.#last, this.#begun)
    this.#begun = []
    this.#last = null
    this.#begin(made)
  }

  /** There is no block before those that were added. */
  end(): void {
    while (this.#open.length > 0) this.#finish()
    this.addedLast = 0
  }

  /**
   * The place of the last piece that was not taken: its number, or that of any later one of its table that is lower. `null`
   * where it is not known which piece that is.
   */
  get place(): number | null {
    const run = this.#runs[0]
    return run === undefined ? null : Math.min(this.#earliest, blockBefore(run.statement, this.#nextTo ?? run.to).seq)
  }

  /** Where it is not known which piece is the last: its place is no greater than this. */
  get latestPlace(): number {
    const last = this.#open.at(-1)?.members.map(({ statement }) => statement.blocks[0]?.seq ?? 0) ?? []
    return Math.min(this.#earliest, Math.max(0, this.#last?.seq ?? 0, ...last))
  }

  /** Takes the last piece of those that are in place. */
  take(): SizedPiece | null {
    const run = this.#runs[0]
    if (run === undefined) return null
    const to = this.#nextTo ?? run.to
    const { seq, first, bytes } = blockBefore(run.statement, to)
    const from = Math.max(run.from, first)
    this.#earliest = Math.min(this.#earliest, seq)
    if (from > run.from) {
      this.#nextTo = from
    } else {
      this.#nextTo = null
      this.#runs.shift()
    }
    return { seq, from: from - first, to: to - first, bytes }
  }

  #begin(statement: Statement): void {
    let outer = this.#open.at(-1)
    while (outer !== undefined && !hasCaused(outer, statement)) {
      this.#finish()
      outer = this.#open.at(-1)
    }
    const { axis, rows, done } = statement
    if (done === null) {
      this.#runs.push({ statement, from: 0, to: rows })
      return
    }
    const member: Member = { statement, done, left: rows, reached: done[axis] }
    if (outer !== undefined && isPartOf(outer, statement)) {
      outer.members.push(member)
      outer.wrote[axis] += rows
      return
    }
    if (outer !== undefined)
      this.#place(outer, ({ statement: one, left, reached }) => Math.min(left, reached - done[one.axis]))
    const group: Group = { members: [member], wrote: [0, 0, 0] }
    group.wrote[axis] = rows
    this.#open.push(group)
  }

  /** All rows of the innermost statement are in place with this. */
  #finish(): void {
    const inner = this.#open.pop()
    if (inner === undefined) return
    this.#place(inner, ({ left }) => left)
    const [outer, done] = [this.#open.at(-1), inner.members[0]?.done]
    if (outer === undefined || done === undefined) return
    for (const axis of BACKWARDS) outer.wrote[axis] += inner.wrote[axis]
    for (const member of outer.members) {
      const { axis } = member.statement
      member.reached = done[axis] - inner.wrote[axis]
    }
  }

  /** Puts the last rows of a statement in place, as many of each part as is said. */
  #place(group: Group, rowsOf: (member: Member) => number): void {
    for (const axis of BACKWARDS) {
      for (const member of group.members) {
        if (member.statement.axis !== axis) continue
        const rows = rowsOf(member)
        if (rows <= 0) continue
        this.#runs.push({ statement: member.statement, from: member.left - rows, to: member.left })
        member.left -= rows
      }
    }
  }
}

function statementOf({ operation, rows, statement }: BlockHeader, blocks: readonly Block[]): Statement {
  const axis = AXES[operation]
  const count = (statement?.first ?? 0) + rows
  // Where the server does not count, nothing can be told.
  const isCounted = axis !== undefined && statement !== null && statement.done[axis] >= count
  const { level = null, done = null } = statement ?? {}
  return { axis: axis ?? 0, rows: count, level, done: isCounted ? done : null, blocks }
}

/** Whether a statement that ended before another one has ended after some row of it. */
function hasCaused({ members }: Group, { done, level }: Statement): boolean {
  if (done === null) return false
  return members.some(({ statement, left, reached }) => {
    if (reached - done[statement.axis] >= left) return false
    return statement.level === null || level === null || level >= statement.level
  })
}

function isPartOf({ members }: Group, { level }: Statement): boolean {
  return level !== null && members[0]?.statement.level === level
}

/** The block that holds the row before one. */
function blockBefore({ blocks }: Statement, row: number): Block {
  let [low, high] = [0, blocks.length - 1]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((blocks[middle]?.first ?? 0) < row) high = middle
    else low = middle + 1
  }
  return blocks[low] ?? { seq: 0, first: 0, bytes: 0 }
}
