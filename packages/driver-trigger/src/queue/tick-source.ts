import { RowtapError } from '@rowtap/core/driver'
import type { Connection } from '../connection/connection.ts'
import { TAKE_TICK } from '../sql/tick-statements.ts'
import type { Snapshot } from './snapshot.ts'
import { inEra, parseSnapshot } from './snapshot.ts'
import type { PackedRows } from './unpack-rows.ts'

/** What became visible between two snapshots. */
export interface Tick {
  readonly from: Snapshot
  readonly to: Snapshot
  /** The tables whose changes it is read for, by object id. */
  readonly roots: readonly string[]
  /** What there is to read, if it came with the look that has cut the tick; otherwise `null`. */
  readonly packed: PackedRows | null
}

// How much may come with a look: rows of the queue, and their weight in bytes. Whoever wants more has to list it.
const MOST_ROWS = 1000
const MOST_WEIGHT = 128 * 1024

/**
 * Cuts the stream of commits into ticks. Where they end is noted in the database before anything of them is read: who reads
 * them again divides them in the same way.
 */
export interface TickSource {
  /** The next tick that has changes in it; `null` if there are none at present. */
  next(): Promise<Tick | null>
  /**
   * Ends a tick now, and returns its end: it divides what has become visible from what has not.
   *
   * @param roots the tables that later ticks are read for. Left out: the same.
   */
  cut(roots?: readonly string[]): Promise<Snapshot>
  /** The end of the last tick that was cut: everything in later ones becomes visible after it. */
  end(): Snapshot
  /** The end of the last tick before which everything was read: of the one before the tick that `next` has returned. */
  passed(): Snapshot
}

/** What a source of ticks works with. */
export interface TickSourceParts {
  readonly connection: Connection
  readonly consumer: string
  /** The server process that the consumer is registered with. */
  readonly processId: number
  /** How often the consumer's reading has begun anew. */
  readonly era: number
  /** Where to start: what is visible there is never delivered. */
  readonly start: Snapshot
  /** Ticks from there on that were cut before, in order. */
  readonly noted: readonly Tick[]
  /** Of those, whatever ends before this snapshot's ordinal was delivered whole. */
  readonly delivered: bigint | null
  /** The tables that ticks are read for, by object id. */
  readonly roots: readonly string[]
  /** Whether the server records when transactions commit. */
  readonly commitTimes: boolean
  /** Hears where ticks end, once that is noted in the database. */
  readonly divided: (end: Snapshot) => void
}

/** Begins with the ticks that were cut before. */
export function tickSource(parts: TickSourceParts): TickSource {
  const { connection, consumer, processId, era, noted, delivered, commitTimes, divided } = parts
  const waiting = noted.filter(({ to }) => delivered === null || to.ordinal >= delivered)
  let taken: Tick | null = null
  let end = noted.at(-1)?.to ?? parts.start
  let roots = parts.roots
  let turn: Promise<unknown> = Promise.resolve()

  // One look at a time: each begins where the one before has ended.
  const look = (isCut: boolean, next: readonly string[] | null): Promise<Snapshot> => {
    const mine = turn.then(async () => {
      // What is cut in passing may have to wait.
      const most = isCut ? 0 : MOST_ROWS
      const [row] = await connection.texts('rowtap_tick', TAKE_TICK, [
        end.xmax,
        end.inProgress,
        consumer,
        roots,
        isCut,
        processId,
        commitTimes,
        most,
        MOST_WEIGHT,
      ])
      const [text, fresh, held, heads = null, olds = null, news = null] = row ?? []
      if (held !== 't') throw leaseLost()
      const to = inEra(parseSnapshot(text ?? ''), era)
      if (fresh === 't') waiting.push({ from: end, to, roots, packed: heads === null ? null : { heads, olds, news } })
      if (fresh === 't' || isCut) divided(to)
      end = to
      roots = next ?? roots
      return to
    })
    turn = mine.catch(() => {})
    return mine
  }

  return {
    next: async () => {
      taken = null
      if (waiting.length === 0) await look(false, null)
      taken = waiting.shift() ?? null
      return taken
    },
    cut: (next) => look(true, next ?? null),
    end: () => end,
    passed: () => (taken ?? waiting[0])?.from ?? end,
  }
}

/** The error for a consumer whose place others have removed or taken, not knowing or not caring that it lives. */
export function leaseLost(): RowtapError {
  return new RowtapError('ERR_POSITION_LOST', {
    message:
      'This client’s place in the change queue was removed: by `rowtap uninstall`, by hand, or, where it has no subscription, because it gave no sign of life for longer than its option leaseMs says; or another process has its subscription.',
    retryable: true,
  })
}

/** The error for a consumer whose changes were let go of, because it was too slow. */
export function changesDropped(reason: string): RowtapError {
  return new RowtapError('ERR_POSITION_LOST', { message: `This client is too far behind: ${reason}`, retryable: true })
}

/** The error for a consumer that was removed although it was alive. */
export function placeRemoved(): RowtapError {
  return new RowtapError('ERR_POSITION_LOST', {
    message:
      'The change queue, or this client’s place in it, was removed while it ran: by rowtap uninstall, or by hand. Connect again to begin anew, and read the tables again where the past matters.',
  })
}
