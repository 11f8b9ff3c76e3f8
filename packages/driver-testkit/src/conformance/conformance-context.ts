import type { CapabilityName, Client, ConnectOptions, Driver, ListenOptions } from '@rowtap/core'
import { cellOf, connect } from '@rowtap/core'
import type { TestDatabase } from '../postgres/test-database.ts'
import type { Collector } from '../tools/collector.ts'
import { collect } from '../tools/collector.ts'
import { eventually } from '../tools/eventually.ts'
import type { ConformanceSizes } from './conformance-case.ts'

/** What a case works with: a database of its own, and the driver. */
export interface ConformanceContext {
  readonly database: TestDatabase
  /** A driver for the database. One object, for any number of clients. */
  readonly driver: Driver
  readonly sizes: ConformanceSizes
  /** Makes a driver that connects with another connection string. */
  createDriver(url: string): Driver
  /** Whether the driver's manifest has all of these. */
  declares(...names: readonly CapabilityName[]): boolean
  /** Connects a client. It is closed after the case; when it fails, the case fails, unless `mayFail`. */
  connect(options?: ConnectOptions, mayFail?: 'mayFail'): Promise<Client>
  /** The same, by way of another connection string. */
  connectTo(url: string, options?: ConnectOptions, mayFail?: 'mayFail'): Promise<Client>
  /** Attaches a listener, collects its events, and waits until it is live. */
  listen(client: Client, options: ListenOptions): Promise<Collector>
  /** Waits for a condition that nobody announces. `what` says in a failure what was waited for. Default: `patienceMs`. */
  eventually(condition: () => boolean | Promise<boolean>, what: string, timeoutMs?: number): Promise<void>
}

/** A context together with what ends it. */
export interface OpenContext extends AsyncDisposable {
  readonly context: ConformanceContext
  /** Rejects when a client fails that was not meant to. Never resolves. */
  readonly failure: Promise<never>
}

/** Opens the context of one case. Disposing of it closes every client. */
export function openContext(
  createDriver: (database: Pick<TestDatabase, 'url'>) => Driver,
  database: TestDatabase,
  sizes: ConformanceSizes,
): OpenContext {
  const driver = createDriver(database)
  const clients: Client[] = []
  const failing: Client[] = []
  const failed = Promise.withResolvers<never>()
  // Whoever waits for something hears of it; when nobody does, the case's own end does.
  failed.promise.catch(() => undefined)

  async function open(from: Driver, options: ConnectOptions = {}, mayFail?: 'mayFail'): Promise<Client> {
    const client = await connect(from, options)
    if (mayFail === undefined) {
      clients.push(client)
      client.on('error', failed.reject)
    } else {
      failing.push(client)
    }
    return client
  }

  const context: ConformanceContext = {
    database,
    driver,
    sizes,
    createDriver: (url) => createDriver({ url }),
    declares: (...names) => names.every((name) => cellOf(driver.capabilities, name) !== false),
    connect: (options, mayFail) => open(driver, options, mayFail),
    connectTo: (url, options, mayFail) => open(createDriver({ url }), options, mayFail),
    async listen(client, options) {
      const collector = collect(client.listen(options), { failure: failed.promise, timeoutMs: sizes.patienceMs })
      await collector.listener.ready
      return collector
    },
    eventually: (condition, what, timeoutMs = sizes.patienceMs) => eventually(condition, what, { timeoutMs }),
  }
  return {
    context,
    failure: failed.promise,
    async [Symbol.asyncDispose]() {
      // A client that was made to fail may not be able to close in good order.
      await Promise.allSettled(failing.map((client) => client.close({ timeoutMs: 1000 })))
      await Promise.all(clients.map((client) => client.close({ timeoutMs: 1000 })))
    },
  }
}
