import { connectError, connectionUnreadable, unlessAborted } from '@rowtap/core/driver'
import { clientConfig } from '../connection/client-config.ts'
import { ControlConnection } from '../connection/control-connection.ts'
import type { WalDriverOptions } from '../wal-driver-options.ts'

/**
 * An ordinary connection, for what is no session. Whoever opens it ends it.
 *
 * @throws RowtapError ERR_CONNECTION_FAILED, ERR_AUTHENTICATION_FAILED, ERR_INVALID_OPTIONS, ERR_ABORTED.
 */
export async function openControl(
  connection: WalDriverOptions['connection'],
  signal: AbortSignal,
): Promise<ControlConnection> {
  const control = unconnected(connection)
  try {
    await unlessAborted(signal, () => control.connect())
    return control
  } catch (error) {
    await control.end()
    throw connectError(error, control)
  }
}

/** `pg` reads a connection string, and the files that it names, when its client is made. */
function unconnected(connection: WalDriverOptions['connection']): ControlConnection {
  try {
    return new ControlConnection(clientConfig(connection))
  } catch (error) {
    throw connectionUnreadable('walDriver', error)
  }
}
