import { sqlstateOf } from '../errors/database-error.ts'
import type { ControlConnection } from './control-connection.ts'

/**
 * Asks the server for a sign of life, again and again, and gives the connection up when none comes for so long.
 *
 * @returns the function that ends it.
 */
export function watchControl(control: ControlConnection, livenessMs: number): () => void {
  let timer: NodeJS.Timeout | null = null
  let isStopped = false

  const stop = (): void => {
    isStopped = true
    if (timer !== null) clearTimeout(timer)
  }
  const rest = (): void => {
    if (!isStopped) timer = setTimeout(ask, livenessMs / 2)
  }
  const ask = (): void => {
    let hasAnswered = false
    control.query('SELECT').then(
      () => {
        hasAnswered = true
        if (timer !== null) clearTimeout(timer)
        rest()
      },
      (error: unknown) => {
        // The connection's end is told by the connection. What the server says is a sign of life: somebody has cancelled it.
        if (sqlstateOf(error) === null) return stop()
        hasAnswered = true
        if (timer !== null) clearTimeout(timer)
        rest()
      },
    )
    const giveUp = (): void => {
      if (hasAnswered || isStopped) return
      control.drop(new Error(`no sign of life from the server for ${livenessMs / 1000} s`))
    }
    // Where this process was busy for so long, the answer may have come: it is read first.
    timer = setTimeout(() => setImmediate(() => setImmediate(giveUp)), livenessMs)
  }
  rest()
  return stop
}
