import type { Capabilities } from './capabilities/capabilities.ts'
import type { Client, Listener } from './client.ts'
import { OpenClient, typedListener } from './client/open-client.ts'
import { ownClientListener } from './client/own-client-listener.ts'
import type { Driver } from './contract/driver.ts'
import type { AckMode, Row } from './event.ts'
import type { ConnectOptions, ListenOptions, ManualListenOptions } from './listen-options.ts'
import { checkDriver, connectRequest } from './options/connect-request.ts'
import { listenRequest, listenRequests } from './options/listen-request.ts'
import type { Plan } from './plan/plan.ts'
import { planCapture } from './plan/plan-capture.ts'

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
 * What a client with these listeners would do, from connecting on: what runs in the database and what in the process,
 * and every statement that would be executed. It connects to look, executes none of them, and disconnects.
 *
 * @throws RowtapError (rejects) what `connect` and the listeners would throw before the first statement.
 */
export async function plan<const C extends Capabilities>(
  driver: Driver<C>,
  listeners: readonly ListenOptions<C>[],
  options: ConnectOptions<C> = {},
): Promise<Plan> {
  checkDriver(driver)
  const request = connectRequest(driver, options)
  return await planCapture(driver, request, listenRequests(driver.capabilities, listeners))
}

/**
 * Listens with a client of its own, which is closed with the listener.
 *
 * @throws RowtapError ERR_CAPABILITY_UNSUPPORTED and ERR_INVALID_OPTIONS, at once and before the database is
 *   touched. What goes wrong later rejects `ready`.
 */
export function listen<R extends object = Row, T extends object = R, const C extends Capabilities = Capabilities>(
  driver: Driver<C>,
  options: ManualListenOptions<C, NoInfer<R>, NoInfer<T>>,
): Listener<R, C, 'manual'>
export function listen<R extends object = Row, T extends object = R, const C extends Capabilities = Capabilities>(
  driver: Driver<C>,
  options: ListenOptions<C, NoInfer<R>, NoInfer<T>>,
): Listener<R, C>
export function listen<R extends object, T extends object, const C extends Capabilities>(
  driver: Driver<C>,
  options: ListenOptions<C, NoInfer<R>, NoInfer<T>>,
): Listener<R, C, AckMode> {
  checkDriver(driver)
  return typedListener<R, C, AckMode>(ownClientListener(driver, listenRequest(driver.capabilities, options)))
}
