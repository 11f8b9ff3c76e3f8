/** What the queue tells about a block of changes, besides the changes. */
export interface BlockHeader {
  readonly seq: number
  readonly root: string
  readonly operation: string
  readonly rows: number
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

/** A part of a block: its changes from one to before another. */
export interface Piece {
  readonly seq: number
  readonly from: number
  readonly to: number
}

/**
 * Puts the blocks of one transaction into the order in which its changes were made. `blocks` come by their number, that
 * is, in the order in which their statements ended.
 *
 * A statement that was caused by another one (by a trigger, or by a function that it calls) ended first, while the other
 * one may have written some of its rows before it. How many rows the table's session had written when a statement ended
 * tells how many that were: going back from the end of the outer statement, what was written since the end of the inner
 * one are the outer one's last rows, and so on.
 *
 * Parts of one statement that write to the same table (ON CONFLICT, MERGE, WITH) know no such order. They never change the
 * same row, but one may reuse a key that another has set free: deletes come first, then updates, then inserts.
 */
export function nestedOrder(blocks: readonly BlockHeader[]): readonly Piece[] {
  const ended = new Map<string, Node[]>()
  for (const statement of statementsOf(blocks)) {
    let nodes = ended.get(statement.root)
    if (nodes === undefined) ended.set(statement.root, (nodes = []))
    nodes.push(endStatement(nodes, statement))
  }
  return merge([...ended.values()].map((nodes) => nodes.flatMap(piecesOf)))
}

interface Statement {
  readonly root: string
  readonly operation: string
  readonly blocks: BlockHeader[]
  rows: number
  readonly level: number | null
  /** `null`: nothing is known of it but that it stands where it stands. */
  readonly done: Counts | null
}

/** Rows of one statement. */
interface Run {
  readonly statement: Statement
  readonly from: number
  readonly to: number
}

/** What the parts of one statement wrote while no other one ran, by their rank. */
type Segment = readonly [deletes: Run[], updates: Run[], inserts: Run[]]

/** A statement that has ended, with what it caused. */
interface Node {
  readonly level: number | null
  readonly done: Counts | null
  /** How many rows all of it wrote. */
  readonly wrote: Counts
  /** From the first to the last. */
  readonly parts: readonly (Segment | Node)[]
}

const AXES: Readonly<Record<string, 0 | 1 | 2>> = { I: 0, U: 1, D: 2 }

function statementsOf(blocks: readonly BlockHeader[]): readonly Statement[] {
  const statements: Statement[] = []
  // The blocks of one statement follow each other, except for those of other tables.
  const open = new Map<string, Statement>()
  for (const block of blocks) {
    const { root, operation, rows, statement: header } = block
    const last = open.get(root)
    if (header !== null && header.first > 0 && last !== undefined) {
      last.blocks.push(block)
      last.rows += rows
      continue
    }
    const made = { root, operation, blocks: [block], rows, level: header?.level ?? null, done: header?.done ?? null }
    open.set(root, made)
    statements.push(made)
  }
  // Where the server does not count, nothing can be told.
  return statements.map((made) => (isCounted(made) ? made : { ...made, done: null }))
}

function isCounted({ done, operation, rows }: Statement): boolean {
  const axis = AXES[operation]
  return done !== null && axis !== undefined && done[axis] >= rows
}

/** Takes what a statement caused from the statements of its table that ended before it (the last of them is at the end). */
function endStatement(ended: Node[], statement: Statement): Node {
  const { done, level, operation } = statement
  const axis = AXES[operation] ?? 0
  const rank = 2 - axis
  const wrote: [number, number, number] = [0, 0, 0]
  wrote[axis] = statement.rows
  let left = statement.rows
  let segment: Segment = [[], [], []]
  if (done === null) {
    segment[rank]?.push({ statement, from: 0, to: left })
    return { level, done, wrote, parts: [segment] }
  }
  // From the last to the first.
  const parts: (Segment | Node)[] = []
  let reached = done[axis]
  const take = (rows: number): void => {
    if (rows > 0) segment[rank]?.unshift({ statement, from: left - rows, to: left })
    left -= Math.max(rows, 0)
  }
  const add = (counts: Counts): void => {
    for (const [index, count] of counts.entries()) wrote[index] = (wrote[index] ?? 0) + count
  }
  const goBefore = (inner: Node & { readonly done: Counts }): void => {
    take(Math.min(left, reached - inner.done[axis]))
    parts.push(segment, inner)
    segment = [[], [], []]
    reached = inner.done[axis] - inner.wrote[axis]
  }
  for (let last = ended.at(-1); last?.done !== null && last !== undefined; last = ended.at(-1)) {
    const inner = { ...last, done: last.done }
    if (reached - inner.done[axis] >= left) break
    if (level !== null && inner.level !== null && inner.level < level) break
    ended.pop()
    add(inner.wrote)
    if (level === null || inner.level !== level) {
      goBefore(inner)
      continue
    }
    // Another part of the same statement: it caused the same ones.
    for (const part of inner.parts.toReversed()) {
      if (isNode(part)) goBefore({ ...part, done: part.done ?? inner.done })
      else segment = [part[0].concat(segment[0]), part[1].concat(segment[1]), part[2].concat(segment[2])]
    }
  }
  take(left)
  parts.push(segment)
  return { level, done, wrote, parts: parts.toReversed() }
}

function isNode(part: Segment | Node): part is Node {
  return 'parts' in part
}

function piecesOf(node: Node): Piece[] {
  return node.parts.flatMap((part) => (isNode(part) ? piecesOf(part) : part.flat().flatMap(piecesOfRun)))
}

function piecesOfRun({ statement, from, to }: Run): Piece[] {
  const pieces: Piece[] = []
  let start = 0
  for (const { seq, rows } of statement.blocks) {
    const piece = { seq, from: Math.max(from - start, 0), to: Math.min(to - start, rows) }
    if (piece.from < piece.to) pieces.push(piece)
    start += rows
  }
  return pieces
}

/** Merges the pieces of several tables: each comes as early as its number, or that of any later one of its table, says. */
function merge(tables: readonly (readonly Piece[])[]): readonly Piece[] {
  const [first = []] = tables
  if (tables.length === 1) return first
  const keyed = tables.flatMap((pieces) => {
    let earliest = Number.POSITIVE_INFINITY
    return pieces
      .toReversed()
      .map((piece) => ({ piece, key: (earliest = Math.min(earliest, piece.seq)) }))
      .toReversed()
  })
  // Sorting is stable, and the keys of a table's pieces never fall.
  return keyed.toSorted((one, other) => one.key - other.key).map(({ piece }) => piece)
}
