import type { RowtapError } from '@rowtap/core/driver'
import type { ControlConnection } from '../connection/control-connection.ts'
import { READER_NAME } from '../connection/synchronous-standbys.ts'
import { countedAsStandby } from './check-server.ts'

/** How long commits may wait for handlers because somebody has changed the setting, in milliseconds. */
const LOOK_MS = 1000

const SETTING = `SELECT pg_catalog.current_setting('synchronous_standby_names') AS standbys, ${READER_NAME} AS reader`

/**
 * Looks again and again whether the server has come to take whoever reads changes for a standby, and ends the link then.
 *
 * @returns the function that ends it.
 */
export function guardAgainstStandby(control: ControlConnection, lose: (error: RowtapError) => void): () => void {
  let isStopped = false
  let timer: NodeJS.Timeout | null = null
  const look = async (): Promise<void> => {
    const [row] = await control.query<'standbys' | 'reader'>(SETTING)
    const error = countedAsStandby(row?.standbys ?? '', row?.reader ?? '')
    if (error !== null && !isStopped) lose(error)
  }
  const rest = (): void => {
    if (isStopped) return
    timer = setTimeout(() => {
      // What goes wrong here is the connection's loss, which is told there and ends this, or passes.
      void look()
        .catch(() => undefined)
        .then(rest)
    }, LOOK_MS)
  }
  rest()
  return () => {
    isStopped = true
    if (timer !== null) clearTimeout(timer)
  }
}
