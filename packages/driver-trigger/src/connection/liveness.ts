import { IS_IDLE } from '../sql/catalog-statements.ts'
import { sql } from '../sql/sql.ts'
import type { Connection } from './connection.ts'

const ALIVE = sql`select`
/** How often the server hears of this process at least, in milliseconds: others may wait for its end. */
const LONGEST_SILENCE_MS = 1000

/**
 * Finds connections whose other end is gone without a word: one of the two is asked for a sign of life again and again, and
 * both are lost when none comes for so long. The other one may be busy with something long: where it is, the server is
 * asked whether it is, too, unless a pooler is in between.
 *
 * @returns the function that ends it.
 */
export function watchLiveness(asked: Connection, other: Connection | null, livenessMs: number): () => void {
  let timer: NodeJS.Timeout | null = null
  let isStopped = false
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
    const [row] = await asked.rows<{ idle: boolean }>(IS_IDLE, [other.processId])
    return other.busySince === since && row?.idle !== false
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
    const giveUp = (): void => {
      if (!hasAnswered && !isStopped) lose()
    }
    // Where this process was busy for so long, the answer may have come: it is read first.
    timer = setTimeout(() => setImmediate(() => setImmediate(giveUp)), livenessMs)
  }
  rest()
  return () => {
    isStopped = true
    if (timer !== null) clearTimeout(timer)
  }
}
