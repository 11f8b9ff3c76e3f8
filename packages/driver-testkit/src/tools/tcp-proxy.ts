import type { Socket } from 'node:net'
import { connect, createServer } from 'node:net'

/** A network between a program and a server that a test can break. Disposing of it closes every connection. */
export interface TcpProxy extends AsyncDisposable {
  /** The server's connection string, by way of the proxy. */
  readonly url: string
  /** Closes every connection at once, as a reset does. Later ones pass. */
  cut(): void
  /**
   * From now on nothing passes in either direction, and nothing is closed: whoever waits hears nothing.
   *
   * @param connection which one, in the order in which they were made: the first is 0. Left out: all, and later ones.
   */
  freeze(connection?: number): void
  /** Everything passes again, what was held back first. */
  thaw(): void
  /** Later connections are made to the server of this connection string. */
  leadTo(target: string): void
}

interface Pair {
  readonly number: number
  readonly client: Socket
  readonly server: Socket
}

/** Starts a proxy for the server of a connection string. */
export async function tcpProxy(target: string): Promise<TcpProxy> {
  let url = new URL(target)
  const pairs = new Set<Pair>()
  const held = new Set<Pair>()
  let isFrozen = false
  let count = 0

  const listener = createServer({ allowHalfOpen: true }, (client) => {
    const server = connect({ host: url.hostname, port: Number(url.port), allowHalfOpen: true })
    const pair: Pair = { number: count, client, server }
    count += 1
    pairs.add(pair)
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      from.setNoDelay(true)
      from.pipe(to)
      // Either end may be reset at any time; the other one hears of it.
      from.on('error', () => to.destroy())
      from.on('close', () => {
        to.destroy()
        pairs.delete(pair)
        held.delete(pair)
      })
    }
    if (isFrozen) hold(pair)
  })
  const hold = (pair: Pair): void => {
    held.add(pair)
    stop(pair)
  }
  await new Promise<void>((resolve, reject) => {
    listener.on('error', reject)
    listener.listen(0, '127.0.0.1', resolve)
  })
  const address = listener.address()
  const through = new URL(target)
  through.hostname = '127.0.0.1'
  through.port = String(typeof address === 'object' && address !== null ? address.port : 0)

  const cut = (): void => {
    for (const { client, server } of pairs) {
      client.resetAndDestroy()
      server.resetAndDestroy()
    }
  }
  return {
    url: through.href,
    cut,
    freeze(connection) {
      isFrozen ||= connection === undefined
      for (const pair of pairs) if (connection === undefined || pair.number === connection) hold(pair)
    },
    thaw() {
      isFrozen = false
      for (const pair of held) pass(pair)
      held.clear()
    },
    leadTo(other) {
      url = new URL(other)
    },
    async [Symbol.asyncDispose]() {
      cut()
      await new Promise<void>((resolve) => listener.close(() => resolve()))
    },
  }
}

function pass({ client, server }: Pair): void {
  client.pipe(server)
  server.pipe(client)
}

function stop({ client, server }: Pair): void {
  client.unpipe(server)
  server.unpipe(client)
  client.pause()
  server.pause()
}
