import type { Capabilities } from './capabilities/capabilities.ts'
import type { Client, Listener } from './client.ts'
import type { Driver } from './contract/driver.ts'
import type { Row } from './event.ts'
import type { ConnectOptions, ListenOptions } from './listen-options.ts'

/** Opens a client on a driver's source. */
export async function connect<const C extends Capabilities>(_driver: Driver<C>, _options: ConnectOptions<C> = {}): Promise<Client<C>> {
  throw new Error('being written')
}

/** Listens with a client of its own, which is closed with the listener. */
export function listen<R extends object = Row, const C extends Capabilities = Capabilities>(_driver: Driver<C>, _options: ListenOptions<C, R>): Listener<R, C> {
  throw new Error('being written')
}
