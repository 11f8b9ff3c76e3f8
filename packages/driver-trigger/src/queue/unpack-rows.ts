import { splitRows } from '../row/row-block.ts'
import { PACKED } from '../sql/packed-rows.ts'
import type { QueuedRow } from './queued-row.ts'
import { QueuedTransaction } from './queued-transaction.ts'

/** Rows of the queue that were sent in one piece, as `packRows` makes it. */
export interface PackedRows {
  /** A line for each row of the queue. */
  readonly heads: string
  /** The rows before changes, of all changes that have one, a line each; `null`: there are none. */
  readonly olds: string | null
  /** The rows after changes, likewise. */
  readonly news: string | null
}

/** The transactions that rows of the queue belong to. Those of one follow each other, by their numbers. */
export function unpackRows({ heads, olds: oldBlock, news: newBlock }: PackedRows): QueuedTransaction[] {
  const reader = new HeadReader(heads)
  const transactions: QueuedTransaction[] = []
  while (!reader.isOver) transactions.push(nextTransaction(reader))
  if (oldBlock !== null) splitRows(oldBlock, reader.oldCount, reader.olds)
  if (newBlock !== null) splitRows(newBlock, reader.newCount, reader.news)
  return transactions
}

function nextTransaction(reader: HeadReader): QueuedTransaction {
  const id = reader.word()
  const prefix = `${id} `
  const first = reader.row()
  // Most transactions have one row: room for more would be made in vain.
  const rows = [first.row]
  let [{ isLate, commitTime }, statements] = [first, first.isOfStatement ? 1 : 0]
  while (reader.skip(prefix)) {
    const next = reader.row()
    rows.push(next.row)
    if (next.isOfStatement) statements += 1
    isLate ||= next.isLate
    commitTime = next.commitTime
  }
  const highest = rows.at(-1)?.seq ?? 0
  const several = statements > 1
  return new QueuedTransaction({ id, commitTime, highest, size: rows.length, rows, late: isLate, several })
}

/** What a line says. */
interface Head {
  readonly row: QueuedRow
  readonly isOfStatement: boolean
  readonly isLate: boolean
  readonly commitTime: string | null
}

/** Reads lines of `heads`, word by word: texts are split off only where they are needed as such. */
class HeadReader {
  /** The rows before changes, and how many there are by the lines that were read. To be filled in when all are. */
  readonly olds: string[] = []
  oldCount = 0
  /** The rows after changes, likewise. */
  readonly news: string[] = []
  newCount = 0
  readonly #heads: string
  #at = 0
  // Nearly always the same as in the line before.
  readonly #root = numberText()
  readonly #shape = numberText()

  constructor(heads: string) {
    this.#heads = heads
  }

  get isOver(): boolean {
    return this.#at >= this.#heads.length
  }

  /** Whether this comes next; if so, it is read. */
  skip(text: string): boolean {
    if (!this.#heads.startsWith(text, this.#at)) return false
    this.#at += text.length
    return true
  }

  word(): string {
    const start = this.#at
    const end = this.#heads.indexOf(' ', start)
    this.#at = end + 1
    return this.#heads.slice(start, end)
  }

  /** The rest of a line, after the transaction's id. */
  row(): Head {
    const seq = this.#number()
    const root = this.#root(this.#number())
    const shape = this.#shape(this.#number())
    const operation = this.word()
    const count = this.#number()
    const flags = this.#number()
    const isUnwanted = (flags & PACKED.isUnwanted) !== 0
    const hasOld = (flags & PACKED.hasOld) !== 0 && !isUnwanted
    const hasNew = (flags & PACKED.hasNew) !== 0 && !isUnwanted
    const [oldsFrom, newsFrom] = [this.oldCount, this.newCount]
    if (hasOld) this.oldCount += count
    if (hasNew) this.newCount += count
    const olds = hasOld ? this.olds : NONE
    const news = hasNew ? this.news : NONE
    return {
      row: { seq, root, shape, operation, count, isUnwanted, olds, oldsFrom, news, newsFrom },
      isOfStatement: (flags & PACKED.isOfStatement) !== 0,
      isLate: (flags & PACKED.isLate) !== 0,
      commitTime: this.#restOfLine(),
    }
  }

  #number(): number {
    let value = 0
    for (;;) {
      const digit = this.#heads.charCodeAt(this.#at) - zero
      this.#at += 1
      if (!(digit >= 0 && digit <= 9)) return value
      value = value * 10 + digit
    }
  }

  /** What stands between the last number and the end of the line; `null`: nothing. */
  #restOfLine(): string | null {
    const start = this.#at
    if (this.#heads.charCodeAt(start - 1) !== space) return null
    const end = this.#heads.indexOf('\n', start)
    const rest = this.#heads.slice(start, end === -1 ? this.#heads.length : end)
    this.#at += rest.length + 1
    return rest
  }
}

const NONE: readonly string[] = []
const zero = 0x30
const space = 0x20

/** Prints numbers, the same one again as the same string. */
function numberText(): (number: number) => string {
  let last = -1
  let text = ''
  return (number) => {
    if (number !== last) {
      last = number
      text = String(number)
    }
    return text
  }
}
