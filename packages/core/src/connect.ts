import type { Client, Listener } from './client.ts'
import { OpenClient, typedListener } from './client/open-client.ts'
import { ownClientListener } from './client/own-client-listener.ts'
import type { Driver } from './contract/driver.ts'
import type { AckMode, ListenerMode, Row } from './event.ts'
import type {
  AnyListenOptions,
  ConnectOptions,
  ListenOptions,
  ManualListenOptions,
  SnapshotListenOptions,
} from './listen-options.ts'
import { checkDriver, connectRequest } from './options/connect-request.ts'
import { listenRequest, listenRequests } from './options/listen-request.ts'
import type { Plan } from './plan/plan.ts'
import { planCapture } from './plan/plan-capture.ts'
import type { ManualSignalListenOptions, SignalListenOptions } from './signal-listen-options.ts'
import type { SignalListener } from './signal-listener.ts'

/**
 * Opens a client on a driver's source. The driver may be one of several, chosen when the program runs: an option that only
 * some of them have compiles, and is refused where the one that was chosen has it not; `supports(driver, …)` tells.
 *
 * @throws RowtapError (rejects) ERR_CAPABILITY_UNSUPPORTED and ERR_INVALID_OPTIONS before the database is touched;
 *   ERR_CONNECTION_FAILED, ERR_AUTHENTICATION_FAILED, ERR_SETUP_REQUIRED from the database; ERR_ABORTED.
 */
export async function connect<const D extends Driver>(
  driver: D,
  options?: ConnectOptions<D['capabilities']>,
): Promise<Client<D['capabilities']>>
export async function connect(driver: Driver, options: ConnectOptions = {}): Promise<Client> {
  checkDriver(driver)
  return await OpenClient.open(driver, connectRequest(driver, options))
}

/**
 * What a client with these listeners would do, from connecting on: what runs in the database and what in the process,
 * and every statement that would be executed. It connects to look, executes none of them, and disconnects.
 *
 * @throws RowtapError (rejects) what `connect` and the listeners would throw before the first statement.
 */
export async function plan<const D extends Driver>(
  driver: D,
  listeners: readonly AnyListenOptions<D['capabilities']>[],
  options: ConnectOptions<D['capabilities']> = {},
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
export function listen<const D extends Driver = Driver>(
  driver: D,
  options: ManualSignalListenOptions<D['capabilities']>,
): SignalListener<D['capabilities'], 'manual'>
export function listen<const D extends Driver = Driver>(
  driver: D,
  options: SignalListenOptions<D['capabilities']>,
): SignalListener<D['capabilities']>
export function listen<R extends object = Row, T extends object = R, const D extends Driver = Driver>(
  driver: D,
  options: ManualListenOptions<D['capabilities'], NoInfer<R>, NoInfer<T>> &
    SnapshotListenOptions<D['capabilities'], NoInfer<R>, NoInfer<T>>,
): Listener<R, D['capabilities'], 'manual', 'initial'>
export function listen<R extends object = Row, T extends object = R, const D extends Driver = Driver>(
  driver: D,
  options: SnapshotListenOptions<D['capabilities'], NoInfer<R>, NoInfer<T>>,
): Listener<R, D['capabilities'], 'auto', 'initial'>
export function listen<R extends object = Row, T extends object = R, const D extends Driver = Driver>(
  driver: D,
  options: ManualListenOptions<D['capabilities'], NoInfer<R>, NoInfer<T>>,
): Listener<R, D['capabilities'], 'manual'>
export function listen<R extends object = Row, T extends object = R, const D extends Driver = Driver>(
  driver: D,
  options: ListenOptions<D['capabilities'], NoInfer<R>, NoInfer<T>>,
): Listener<R, D['capabilities']>
export function listen<R extends object, T extends object, const D extends Driver>(
  driver: D,
  options: ListenOptions<D['capabilities'], NoInfer<R>, NoInfer<T>> | SignalListenOptions<D['capabilities']>,
): Listener<R, D['capabilities'], AckMode, ListenerMode> | SignalListener<D['capabilities'], AckMode> {
  checkDriver(driver)
  return typedListener<R, D['capabilities'], AckMode, ListenerMode>(
    ownClientListener(driver, listenRequest(driver.capabilities, options)),
  )
}
