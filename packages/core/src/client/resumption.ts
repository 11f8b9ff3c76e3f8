import type { CaptureRequest, Change, DriverNotice } from '../contract/driver.ts'
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
 * The tables that a durable subscription captured before, and that no listener of this client has claimed yet. A program
 * attaches its listeners one after another: until all are there, no change of such a table may be passed over.
 *
 * ```
 * unclaimed ──claim()──▶ claimed
 *     └──the time is over──▶ expired
 * ```
 */
export class Resumption {
  readonly #host: ResumptionHost
  readonly #timeoutMs: number
  readonly #unclaimed = new Map<string, CaptureRequest>()
  #timer: NodeJS.Timeout | null = null
  #hasBegun = false
  #wake: (() => void) | null = null

  /** @param timeoutMs how long listeners may take to come after the first one did. */
  constructor(resumed: readonly CaptureRequest[], timeoutMs: number, host: ResumptionHost) {
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

  /** The request of a table that waits for a listener, otherwise `undefined`. */
  of(table: TableName): CaptureRequest | undefined {
    return this.#unclaimed.get(keyOf(table))
  }

  /** A listener was attached: the time for the others runs. */
  begin(): void {
    if (this.#hasBegun || this.isDone) return
    this.#hasBegun = true
    // A timer takes no longer time than this.
    if (this.#timeoutMs < 2 ** 31) this.#timer = setTimeout(() => this.#expire(), this.#timeoutMs)
  }

  /** A listener of this table is attached. */
  claim(table: TableName): void {
    this.#unclaimed.delete(keyOf(table))
    if (this.isDone) this.#stopTimer()
    this.#wake?.()
  }

  /** The index of the first change of a table that waits for a listener; -1 where there is none. */
  heldAt(changes: readonly Change[]): number {
    if (this.isDone) return -1
    return changes.findIndex(({ relation }) => this.of(relation) !== undefined)
  }

  /** Resolves when the table has a listener, will have none, or nothing is read any more. */
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
    this.#stopTimer()
    this.#wake?.()
  }

  #expire(): void {
    const expired = this.unclaimed
    this.#unclaimed.clear()
    this.#host.expired(expired)
    this.#wake?.()
  }

  #tell(table: TableName): void {
    const within = Number.isFinite(this.#timeoutMs)
      ? `without one its changes are passed over, ${this.#timeoutMs / 1000} s after the first listener was attached`
      : 'it is waited for as long as it takes'
    this.#host.notify({
      kind: 'wait',
      reason: `Waiting for a listener of ${formatTableName(table)}, which the subscription has changes of since it last ran: ${within}.`,
      processIds: [],
    })
  }

  #stopTimer(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
  }
}

/** What is told of a table that nobody listens to any more. */
export function expiredNotice({ table }: CaptureRequest, from: Position | null): DriverNotice {
  return {
    kind: 'gap',
    from,
    to: null,
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
    reason: `The subscription captured ${[...resumed.operations].join(' and ')} of ${formatTableName(resumed.table)} only: ${lacking.join(' and ')} until now was missed.`,
  }
}

function keyOf(table: TableName): string {
  return JSON.stringify([table.schema, table.name])
}
