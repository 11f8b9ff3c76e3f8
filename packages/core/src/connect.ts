import type { Capabilities } from './capabilities/capabilities.ts'
import type { Client, Listener } from './client.ts'
import { OpenClient, typedListener } from './client/open-client.ts'
import { ownClientListener } from './client/own-client-listener.ts'
import type { Driver } from './contract/driver.ts'
import type { Row } from './event.ts'
import type { ConnectOptions, ListenOptions } from './listen-options.ts'
import { checkDriver, connectRequest } from './options/connect-request.ts'
import { listenRequest } from './options/listen-request.ts'

/**
 * Opens a client on a driver's source.
 *
 * @throws RowtapError (rejects) ERR_CAPABILITY_UNSUPPORTED and ERR_INVALID_OPTIONS before the database is touched;
 *   ERR_CONNECTION_FAILED, ERR_AUTHENTICATION_FAILED, ERR_SETUP_REQUIRED from the database; ERR_ABORTED.
 */
export async function connect<const C extends Capabilities>(
  driver: Driver<C>,
  options: ConnectOptions<C> = {},
): Promise<Client<C>> {
  checkDriver(driver)
  return await OpenClient.open(driver, connectRequest(driver, options))
}

/**
 * Listens with a client of its own, which is closed with the listener.
 *
 * @throws RowtapError ERR_CAPABILITY_UNSUPPORTED and ERR_INVALID_OPTIONS, at once and before the database is
 *   touched. What goes wrong later rejects `ready`.
 */
export function listen<R extends object = Row, const C extends Capabilities = Capabilities>(
  driver: Driver<C>,
  options: ListenOptions<C, R>,
): Listener<R, C> {
  checkDriver(driver)
  return typedListener<R, C>(ownClientListener(driver, listenRequest(driver.capabilities, options)))
}
