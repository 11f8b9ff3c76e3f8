import type { Position } from '../contract/position.ts'
import type { SnapshotChunk } from '../contract/snapshot-source.ts'
import type { AcknowledgementEntry } from '../delivery/acknowledgement-tracker.ts'
import type { QueuedChange } from '../delivery/queued-change.ts'
import { giveRows } from './give-rows.ts'
import { HeldChanges } from './held-changes.ts'
import { keyPlaceFinder } from './key-places.ts'
import type { Judgement } from './judge-change.ts'
import type { KeyRange, SnapshotView } from './key-ranges.ts'
import { keyName, KeyRanges } from './key-ranges.ts'
import { KeyReader } from './key-texts.ts'
import { PieceSize } from './piece-size.ts'
import { RangeJudge } from './range-judge.ts'
import type { SnapshotRunParts } from './snapshot-run-parts.ts'

/** How many readings may have seen changes that are still to come: each costs memory, and is kept with the progress. */
const MAX_VIEWS = 128
/** How soon to look again whether changes are past, in milliseconds. */
const LOOK_AGAIN_MS = 20

/**
 * One listener's snapshot: reads its table in pieces, and decides which changes of the table the listener is given
 * meanwhile. While a piece is being read every change is held, so that they stay in order. `judgeChange` has the rules.
 *
 * ```
 * begin() ──▶ reading ──no row is left──▶ read ──the last row is handled──▶ done
 *                ▲                         │
 *                └──rows are read again────┘
 * ```
 */
export class SnapshotRun {
  readonly #parts: SnapshotRunParts
  readonly #ranges: KeyRanges
  readonly #keys: KeyReader
  readonly #judge: RangeJudge
  readonly #held: HeldChanges
  readonly #size = new PieceSize()
  readonly #done = Promise.withResolvers<void>()
  /** Work on the ranges is done by one at a time; while some is, changes are held. */
  #turn: Promise<unknown> = Promise.resolve()
  #working = 0
  #isReading = false
  /** Whether changes were missed since the piece at hand was asked for. */
  #isOutdated = false
  /** Whether rows have to be read again, and that is not kept. */
  #mustSave = false
  #isStopped = false
  #isEnded = false
  /** Something went wrong: what is held stays as it is. */
  #hasGivenUp = false
  #isDone = false
  #rows = 0
  #lastUntil: Position | null = null
  #wakeUp: (() => void) | null = null

  constructor(parts: SnapshotRunParts) {
    this.#parts = parts
    const { source, key, listener, relation } = parts
    this.#ranges = new KeyRanges(parts.ranges)
    for (const { view } of this.#ranges.all) this.#noteUntil(view)
    this.#keys = new KeyReader(key.columns, relation)
    const places = keyPlaceFinder(relation, key.columns, (keys, boundaries) =>
      source.compareKeys({ table: listener.request.table, key, keys, boundaries }),
    )
    this.#judge = new RangeJudge(this.#ranges, this.#keys, places)
    this.#held = new HeldChanges(parts.done)
    this.#done.promise.catch(() => undefined)
  }

  /** Rows that were read so far, those included that the condition is not true of. */
  get rows(): number {
    return this.#rows
  }

  /** About how many rows the table had; `null` where nobody has counted. */
  get estimate(): number | null {
    return this.#parts.key.estimate
  }

  /** Whether the listener is done with every row. */
  get isDone(): boolean {
    return this.#isDone
  }

  /** Resolves when the listener is done with every row. Rejects where it ends before. */
  get done(): Promise<void> {
    return this.#done.promise
  }

  get ranges(): readonly KeyRange[] {
    return this.#ranges.all
  }

  /** How many changes are held, and how many bytes they hold. */
  get heldCount(): number {
    return this.#held.count
  }

  get heldBytes(): number {
    return this.#held.bytes
  }

  /** The listener is live: reads from now on. */
  begin(): void {
    void this.#work(async () => {
      this.#finish()
      await this.#parts.save()
    }).then(() => this.#read())
  }

  /** Changes were missed: every row is read again. */
  beginAgain(): void {
    this.#isDone = false
    this.#isOutdated = true
    void this.#work(async () => {
      this.#isOutdated = false
      this.#ranges.reset(true)
      await this.#parts.save()
    }).then(() => this.#read())
  }

  /** There may be room for more rows. */
  roomMade(): void {
    this.#wakeUp?.()
  }

  /** Whether no change of the listener needs to be looked at any more from this position on. */
  isPast(position: Position): boolean {
    return (
      this.#isDone &&
      this.#working === 0 &&
      this.#held.count === 0 &&
      !(this.#lastUntil !== null && position <= this.#lastUntil)
    )
  }

  /** Takes a change that the listener wants. Returns false where it is not to be delivered. */
  offer(item: QueuedChange): boolean {
    if (this.#isEnded) return false
    if (this.#working === 0 && this.#held.count === 0 && !this.#hasGivenUp) {
      const judgement = this.#judgeNow(item)
      if (judgement === 'drop') return false
      if (judgement === 'again') this.#mustReadAgain()
      if (typeof judgement === 'object') {
        this.#parts.listener.take(judgement)
        return true
      }
    }
    this.#held.add(item)
    if (this.#working === 0 && !this.#hasGivenUp) this.#settle()
    return true
  }

  /** Reads no more. What was read before is still delivered. */
  stop(): void {
    this.#isStopped = true
    this.#wakeUp?.()
  }

  /** Resolves, once it was stopped, when it is known of every change that was held what becomes of it. */
  async settled(): Promise<void> {
    while (!this.#isEnded && !this.#hasGivenUp && this.#held.count > 0) await this.#turn
  }

  /** Reads no more. Returns the changes that are held, of which it is not known whether they are wanted. */
  end(error: unknown): readonly QueuedChange[] {
    if (this.#isEnded) return []
    this.#isEnded = true
    this.#isStopped = true
    this.#wakeUp?.()
    if (!this.#isDone) this.#done.reject(error)
    return this.#held.takeAll()
  }

  #work(work: () => Promise<void>): Promise<void> {
    this.#working += 1
    const done = this.#turn
      .then(() => (this.#isEnded ? undefined : work()))
      .catch((error: unknown) => {
        // Who reads no more does not care why a reading was given up. What is held then comes again.
        const isStopped = this.#isStopped
        this.#hasGivenUp = true
        this.stop()
        if (!isStopped) this.#parts.failed(error)
      })
      .then(() => {
        this.#working -= 1
        if (this.#working === 0 && this.#held.count > 0 && !this.#hasGivenUp) this.#settle()
      })
    this.#turn = done
    return done
  }

  /** A change that cannot be judged ends the listener, and not the reading that others depend on. */
  #judgeNow(item: QueuedChange): Judgement | 'unknown' {
    try {
      return this.#judge.judge(item)
    } catch {
      // It is held, and met again when what is held is judged.
      return 'unknown'
    }
  }

  #settle(): void {
    void this.#work(() => this.#judgeHeld()).then(() => this.#read())
  }

  #read(): void {
    if (this.#isReading || this.#isStopped || this.#ranges.isRead) return
    this.#isReading = true
    void this.#readPieces().then(() => {
      this.#isReading = false
      this.#read()
    })
  }

  async #readPieces(): Promise<void> {
    while (!this.#ranges.isRead) {
      await this.#room()
      if (this.#isStopped) return
      await this.#work(async () => {
        await this.#readPiece()
        await this.#judgeHeld()
      })
    }
  }

  /** Resolves when the listener can take another piece. */
  async #room(): Promise<void> {
    const { listener, past, look } = this.#parts
    while (!this.#isStopped) {
      const { handled, settled } = past()
      // What is held was yielded, and is still to be judged.
      if (this.#held.count === 0) this.#ranges.pass(handled, settled)
      const isFull = this.#ranges.views >= MAX_VIEWS
      const hasRoom = !this.#size.isEnough && listener.deliveredBytes * 2 <= listener.request.bufferBytes
      if (!isFull && hasRoom) return
      const woken = Promise.withResolvers<void>()
      this.#wakeUp = woken.resolve
      const timer = isFull ? setTimeout(woken.resolve, LOOK_AGAIN_MS) : undefined
      await woken.promise
      clearTimeout(timer)
      if (isFull && !this.#isStopped) await look()
    }
  }

  async #readPiece(): Promise<void> {
    const range = this.#ranges.nextUnread()
    if (range === null) return
    const { source, listener, key, columns } = this.#parts
    const { table, bufferBytes } = listener.request
    const maxRows = this.#size.rows
    const chunk = await source.read({ table, key, columns, ...range, maxRows, maxBytes: bufferBytes })
    if (!this.#isStopped && !this.#isOutdated) this.#take(chunk)
  }

  #take(chunk: SnapshotChunk): void {
    const { relation, rows, isLast, state, until } = chunk
    const keys = rows.map((tuple) => this.#keys.keyOf(tuple, relation, { id: until, kind: 'insert' }))
    const view: SnapshotView = { state, until, sees: this.#parts.source.visibility(state) }
    const read = this.#ranges.read(isLast ? null : (keys.at(-1) ?? null), view)
    if (read === null) return
    this.#noteUntil(view)
    this.#rows += rows.length
    const handled = (): void => {
      measured()
      this.#handled(read)
    }
    const entry: AcknowledgementEntry = { pending: 0, last: until, handled }
    const measured = this.#size.read(rows.length, entry)
    const given = giveRows({
      chunk,
      keys,
      binding: this.#parts.bind(relation),
      entry,
      take: (item) => this.#parts.listener.take(item),
    })
    if (read.mayHaveRows) read.given = new Set(given.map(keyName))
    if (entry.pending === 0) handled()
    else this.#parts.given(entry)
    this.#parts.listener.wake()
  }

  #handled(range: KeyRange): void {
    if (this.#isEnded) return
    range.isPending = false
    this.#wakeUp?.()
    this.#finish()
    this.#parts.progressed()
  }

  #finish(): void {
    if (
      this.#isDone ||
      this.#isOutdated ||
      !this.#ranges.all.every(({ state, isPending }) => state === 'read' && !isPending)
    )
      return
    this.#isDone = true
    this.#done.resolve()
  }

  /** Judges what is held now; what comes meanwhile is held on. */
  async #judgeHeld(): Promise<void> {
    let count = this.#held.count
    while (count > 0 && !this.#isEnded) {
      if (this.#mustSave) await this.#saveFirst()
      await this.#judge.find(this.#held.first(count))
      if (this.#isEnded) return
      for (; count > 0; count -= 1) {
        const item = this.#held.peek()
        if (item === undefined) return
        const judgement = this.#judge.judge(item)
        if (judgement === 'unknown') break
        if (judgement === 'again') {
          this.#mustReadAgain()
          break
        }
        this.#held.remove()
        if (judgement !== 'drop') this.#parts.listener.take(judgement)
        this.#held.release(item, judgement === 'drop')
      }
    }
    this.#parts.listener.wake()
    this.#parts.roomMade()
  }

  #mustReadAgain(): void {
    this.#isDone = false
    this.#mustSave = true
  }

  /** What is left to a reading may be acknowledged only when it is kept that there is one to come. */
  async #saveFirst(): Promise<void> {
    this.#mustSave = false
    await this.#parts.save()
  }

  #noteUntil(view: SnapshotView | null): void {
    if (view !== null && !(this.#lastUntil !== null && view.until <= this.#lastUntil)) this.#lastUntil = view.until
  }
}
