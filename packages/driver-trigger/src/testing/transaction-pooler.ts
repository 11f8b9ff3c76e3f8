import { createServer } from 'node:net'
import type { AddressInfo, Server, Socket } from 'node:net'
import pg from 'pg'

/** A pooler in transaction mode: each transaction of a client is with another of a few server connections. */
export interface TransactionPooler extends AsyncDisposable {
  /** A connection string by way of it. */
  readonly url: string
}

/** A connection to the server that is logged in, and whose bytes are passed on. */
interface ServerConnection {
  readonly client: pg.Client
  receive: (bytes: Buffer) => void
}

const SIZE = 3
const SSL_REQUEST = 80_877_103

/** Starts a pooler for a database. What a client leaves in a server's session stays there, and others meet it. */
export async function transactionPooler(url: string): Promise<TransactionPooler> {
  const idle: ServerConnection[] = []
  const waiting: ((server: ServerConnection) => void)[] = []
  const all: ServerConnection[] = []
  for (let count = 0; count < SIZE; count += 1) all.push(await connectToServer(url))
  idle.push(...all)
  const acquire = (): Promise<ServerConnection> => {
    const next = idle.shift()
    return next === undefined ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve(next)
  }
  const release = (server: ServerConnection): void => {
    server.receive = () => {}
    const next = waiting.shift()
    if (next === undefined) idle.push(server)
    else next(server)
  }
  const sockets = new Set<Socket>()
  const listener = createServer((socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket)).on('error', () => undefined)
    serve(socket, acquire, release)
  })
  const address = await listening(listener)
  const pooled = new URL(url)
  pooled.hostname = address.address
  pooled.port = String(address.port)
  return {
    url: pooled.href,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      listener.close()
      await Promise.all(all.map(({ client }) => client.end()))
    },
  }
}

async function listening(listener: Server): Promise<AddressInfo> {
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve))
  const address = listener.address()
  if (address === null || typeof address === 'string') throw new Error('the pooler has no port')
  return address
}

async function connectToServer(url: string): Promise<ServerConnection> {
  const client = new pg.Client({ connectionString: url, application_name: 'rowtap-testkit' })
  await client.connect()
  const server: ServerConnection = { client, receive: () => {} }
  const { stream } = client.connection
  // The client library has done its part: from here on the bytes are the pooled client's.
  stream.removeAllListeners('data')
  stream.on('data', (bytes: Buffer) => server.receive(bytes))
  return server
}

/** One client of the pooler. */
function serve(
  socket: Socket,
  acquire: () => Promise<ServerConnection>,
  release: (server: ServerConnection) => void,
): void {
  let received = Buffer.alloc(0)
  let isGreeted = false
  let server: ServerConnection | null = null
  let isAcquiring = false
  let answered = Buffer.alloc(0)

  /** Passes on what the server says, and lets it go after the end of a transaction. */
  const answer = (bytes: Buffer): void => {
    socket.write(bytes)
    answered = Buffer.concat([answered, bytes])
    let isOver = false
    while (answered.length >= 5 && answered.length >= 1 + answered.readInt32BE(1)) {
      const length = 1 + answered.readInt32BE(1)
      isOver = answered[0] === 0x5a && answered[5] === 0x49
      answered = answered.subarray(length)
    }
    // Messages that came since begin another transaction.
    if (!isOver || answered.length > 0 || server === null) return
    const used = server
    server = null
    release(used)
    pass()
  }
  const pass = (): void => {
    if (received.length === 0 || isAcquiring) return
    if (server !== null) {
      server.client.connection.stream.write(received)
      received = Buffer.alloc(0)
      return
    }
    isAcquiring = true
    void acquire().then((acquired) => {
      isAcquiring = false
      server = acquired
      server.receive = answer
      pass()
    })
  }
  socket.on('data', (bytes: Buffer) => {
    received = Buffer.concat([received, bytes])
    if (!isGreeted) {
      if (received.length < 8 || received.length < received.readInt32BE(0)) return
      const isSsl = received.readInt32BE(4) === SSL_REQUEST
      received = received.subarray(received.readInt32BE(0))
      if (isSsl) socket.write('N')
      else {
        isGreeted = true
        socket.write(GREETING)
      }
      return
    }
    // A client that says goodbye says it to the pooler.
    if (received[0] === 0x58) socket.end()
    else pass()
  })
}

/** Authentication is well, and the server is ready. */
const GREETING = Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 0, 0x5a, 0, 0, 0, 5, 0x49])
