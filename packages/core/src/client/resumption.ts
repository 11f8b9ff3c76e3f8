import type { CaptureRequest, Change, DriverNotice, ResumedRequest } from '../contract/driver.ts'
import type { Position } from '../contract/position.ts'
import type { TableName } from '../contract/table-name.ts'
import { formatTableName } from '../contract/table-name.ts'

/** How long the reading may wait for a listener before that is told. */
const PATIENCE_MS = 1000

/** What a {@link Resumption} tells. */
export interface ResumptionHost {
  notify(notice: DriverNotice): void
  /** No listener has come for these tables in time: they are wanted no more. */
  expired(tables: readonly CaptureRequest[]): void
}

/**
 * The tables that a durable subscription captured before. A program attaches its listeners one after another: no change of
 * such a table may be passed over until one is there, and none is handed over as long as more of them are being attached,
 * so that the second of a table is given what the first one is.
 *
 * ```
 * unclaimed ──claim()──▶ held ──open(): no listener is being attached──▶ begun
 *     │                    └──the time is over──▶ begun
 *     └──the time is over──▶ expired
 * ```
 */
export class Resumption {
  readonly #host: ResumptionHost
  readonly #timeoutMs: number
  readonly #unclaimed = new Map<string, ResumedRequest>()
  readonly #held = new Map<string, ResumedRequest>()
  readonly #begun = new Map<string, ResumedRequest>()
  #timer: NodeJS.Timeout | null = null
  /** When the first listener was attached; `null` before. */
  #begunAt: number | null = null
  /** What is not after this was committed before the first listener was attached; `null` before that. */
  #until: Position | null = null
  #wake: (() => void) | null = null

  /** @param timeoutMs how long listeners may take to come after the first one did. */
  constructor(resumed: readonly ResumedRequest[], timeoutMs: number, host: ResumptionHost) {
    this.#host = host
    this.#timeoutMs = timeoutMs
    for (const request of resumed) this.#unclaimed.set(keyOf(request.table), request)
  }

  /** The tables that wait for a listener. */
  get unclaimed(): readonly CaptureRequest[] {
    return [...this.#unclaimed.values()]
  }

  /** Whether no table waits for a listener. */
  get isDone(): boolean {
    return this.#unclaimed.size === 0
  }

  /** What was captured of a table no change of which was handed over yet, otherwise `undefined`. */
  of(table: TableName): ResumedRequest | undefined {
    const key = keyOf(table)
    return this.#unclaimed.get(key) ?? this.#held.get(key)
  }

  /**
   * What was captured of a table whose changes since the subscription last ran are being handed over, or were a short time
   * ago; otherwise `undefined`.
   *
   * @param reached how far the changes were read; `null` where that is not known.
   */
  begunOf(table: TableName, reached: Position | null): ResumedRequest | undefined {
    const isOver = reached !== null && this.#until !== null && reached >= this.#until && !this.#isInTime
    return isOver ? undefined : this.#begun.get(keyOf(table))
  }

  /** Somebody is there to take what comes: the time for the others runs. */
  begin(): void {
    if (this.#begunAt !== null || this.isDone) return
    this.#begunAt = performance.now()
    // A timer takes no longer time than this.
    if (this.#timeoutMs < 2 ** 31) this.#timer = setTimeout(() => this.#expire(), this.#timeoutMs)
  }

  /** Listeners were attached, and live from this position on if they were new. */
  attached(from: Position): void {
    this.#until ??= from
  }

  /** A listener of this table is attached. Returns whether it is the first. */
  claim(table: TableName): boolean {
    const key = keyOf(table)
    const request = this.#unclaimed.get(key)
    if (request === undefined) return false
    this.#unclaimed.delete(key)
    this.#held.set(key, request)
    this.#wake?.()
    return true
  }

  /** No listener is being attached: what was claimed is handed over. */
  open(): void {
    for (const [key, request] of this.#held) this.#begun.set(key, request)
    this.#held.clear()
    if (this.isDone) this.#stopTimer()
    this.#wake?.()
  }

  /** The index of the first change, from one on, of a table that waits; where there is none, how many changes there are. */
  heldAt(changes: readonly Change[], from: number): number {
    if (this.isDone && this.#held.size === 0) return changes.length
    const at = changes.findIndex(({ relation }, index) => index >= from && this.of(relation) !== undefined)
    return at < 0 ? changes.length : at
  }

  /** Resolves when changes of the table may be handed over, or nobody will want them, or nothing is read any more. */
  async settled(table: TableName): Promise<void> {
    const patience = setTimeout(() => this.#tell(table), PATIENCE_MS)
    try {
      while (this.of(table) !== undefined) {
        await new Promise<void>((resolve) => {
          this.#wake = resolve
        })
      }
    } finally {
      clearTimeout(patience)
      this.#wake = null
    }
  }

  /** Waits for no listener any more, and tells nothing. */
  end(): void {
    this.#unclaimed.clear()
    this.#held.clear()
    this.#stopTimer()
    this.#wake?.()
  }

  /** For how long listeners may still come, in milliseconds. */
  get remainingMs(): number {
    return this.#begunAt === null ? this.#timeoutMs : this.#timeoutMs - (performance.now() - this.#begunAt)
  }

  get #isInTime(): boolean {
    return this.#begunAt === null || performance.now() - this.#begunAt < this.#timeoutMs
  }

  #expire(): void {
    const expired = this.unclaimed
    this.#unclaimed.clear()
    this.open()
    if (expired.length > 0) this.#host.expired(expired)
  }

  #tell(table: TableName): void {
    this.#host.notify({ kind: 'wait', reason: this.#waitReason(table), processIds: [] })
  }

  #waitReason(table: TableName): string {
    const name = formatTableName(table)
    if (this.#held.has(keyOf(table))) {
      return `Waiting for listeners that are being attached, before changes of ${name} since the subscription last ran are handed over: one that came later would miss them.`
    }
    const within = Number.isFinite(this.#timeoutMs)
      ? `without one its changes are passed over, ${this.#timeoutMs / 1000} s after the first listener was attached`
      : 'it is waited for as long as it takes'
    return `Waiting for a listener of ${name}, which the subscription has changes of since it last ran: ${within}.`
  }

  #stopTimer(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
  }
}

/** What is told where a listener of a table comes after others were given changes that it might have been for. */
export function lateNotice({ table }: CaptureRequest, to: Position | null): DriverNotice {
  return {
    kind: 'gap',
    from: null,
    to,
    tables: [table],
    reason: `A listener of ${formatTableName(table)} came when changes of it since the subscription last ran were with others already: it is given what comes after. Attach the listeners of a table one after another, without waiting for anything else but their \`ready\`.`,
  }
}

/** What is told of a table that nobody listens to any more. */
export function expiredNotice({ table }: CaptureRequest, from: Position | null): DriverNotice {
  return {
    kind: 'gap',
    from,
    to: null,
    tables: [table],
    reason: `The subscription captured ${formatTableName(table)}, and no listener of it came in time: its changes are passed over, and not captured any more.`,
  }
}

/** What is told of a table of which a listener wants more than the subscription captured; `null` where it does not. */
export function fewerOperationsNotice(
  resumed: CaptureRequest,
  wanted: ReadonlySet<string>,
  to: Position,
): DriverNotice | null {
  const lacking = [...wanted].filter((operation) => ![...resumed.operations].some((known) => known === operation))
  if (lacking.length === 0) return null
  return {
    kind: 'gap',
    from: null,
    to,
    tables: [resumed.table],
    reason: `The subscription captured ${[...resumed.operations].join(' and ')} of ${formatTableName(resumed.table)} only: ${lacking.join(' and ')} until now was missed.`,
  }
}

function keyOf(table: TableName): string {
  return JSON.stringify([table.schema, table.name])
}
