import { unlessAborted } from '@rowtap/core/driver'
import { IS_IDLE } from '../sql/catalog-statements.ts'
import { sql } from '../sql/sql.ts'
import type { Connection } from './connection.ts'

const ALIVE = sql`select`

/** The row of {@link IS_IDLE}. */
interface Activity {
  readonly idle: boolean
  readonly seen: boolean
}

/** How often the server hears of this process at least, in milliseconds: others may wait for its end. */
const LONGEST_SILENCE_MS = 1000

/**
 * Finds connections whose other end is gone without a word: one of the two is asked for a sign of life again and again, and
 * both are lost when none comes for so long. Either may be busy with something long: where it is, the server is asked whether it
 * is, too, unless a pooler is in between.
 *
 * @param connect makes another connection, to ask of the first one where the other one is busy, too. Left out: none is made.
 * @returns the function that ends it.
 */
export function watchLiveness(
  asked: Connection,
  other: Connection | null,
  livenessMs: number,
  connect: ((signal: AbortSignal) => Promise<Connection>) | null = null,
): () => void {
  let timer: NodeJS.Timeout | null = null
  let isStopped = false
  const stopping = new AbortController()
  let suspectSince: number | null = null

  const lose = (): void => {
    const reason = new Error(`no sign of life from the server for ${livenessMs / 1000} s`)
    asked.drop(reason)
    other?.drop(reason)
  }
  /** Whether the other connection's statement is answered, as far as the server knows, and we have heard nothing. */
  const isSilent = async (): Promise<boolean> => {
    const since = other?.busySince ?? null
    if (other === null || since === null || performance.now() - since < livenessMs || other.processId === 0)
      return false
    const [row] = await asked.rows<Activity>(IS_IDLE, [other.processId])
    return other.busySince === since && row?.idle !== false
  }
  /** Whether the server is at what keeps us from an answer: asked through a connection that is free, within the time for a sign of life. */
  const isAtWork = async (): Promise<boolean> => {
    const free = other?.busySince === null ? other : null
    if (asked.processId === 0 || (free === null && connect === null)) return false
    const signal = AbortSignal.any([stopping.signal, AbortSignal.timeout(livenessMs)])
    const ask = async (): Promise<boolean> => {
      if (free !== null || connect === null) return free !== null && (await isBusy(free, asked))
      const made = await connect(signal)
      signal.addEventListener('abort', () => made.drop(new Error('it takes too long')), { once: true })
      return await isBusy(made, asked).finally(() => void made.close().catch(() => {}))
    }
    return await unlessAborted(signal, ask).catch(() => false)
  }
  const look = async (): Promise<void> => {
    await asked.rows(ALIVE)
    const since = other?.busySince ?? null
    if (!(await isSilent())) suspectSince = null
    else if (suspectSince === since) lose()
    else suspectSince = since
  }
  const rest = (): void => {
    if (!isStopped) timer = setTimeout(ask, Math.min(livenessMs / 2, LONGEST_SILENCE_MS))
  }
  const ask = (): void => {
    let hasAnswered = false
    const wasBusy = asked.busySince !== null
    const answered = (): void => {
      hasAnswered = true
      if (timer !== null) clearTimeout(timer)
    }
    look().then(
      () => {
        answered()
        rest()
      },
      // The connection's end is told by the connection.
      answered,
    )
    const giveUp = async (): Promise<void> => {
      if (hasAnswered || isStopped) return
      // What it is busy with, it may be for long: what it was not busy with when it was asked is the question itself.
      const isAlive = wasBusy && (await isAtWork())
      if (hasAnswered || isStopped) return
      if (isAlive) expectAnswer()
      else lose()
    }
    const expectAnswer = (): void => {
      // Where this process was busy for so long, the answer may have come: it is read first.
      timer = setTimeout(() => setImmediate(() => setImmediate(() => void giveUp())), livenessMs)
    }
    expectAnswer()
  }
  rest()
  return () => {
    isStopped = true
    stopping.abort()
    if (timer !== null) clearTimeout(timer)
  }
}

/** Whether the server says through a connection that it is busy with what was sent on another one, or has come further meanwhile. */
async function isBusy(through: Connection, asked: Connection): Promise<boolean> {
  const since = asked.busySince
  const [row] = await through.rows<Activity>(IS_IDLE, [asked.processId])
  return asked.busySince !== since || (row?.seen === true && !row.idle)
}
