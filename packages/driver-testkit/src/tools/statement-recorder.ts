import { inlineParameters } from '@rowtap/core/driver'
import type { Socket } from 'node:net'
import { connect, createServer } from 'node:net'
import type { TestDatabase } from '../postgres/test-database.ts'

/** Stands between a driver and the server, and writes down what the driver sends. */
export interface StatementRecorder extends AsyncDisposable {
  /** The database's connection string, by way of the recorder. */
  readonly url: string
  /**
   * What was sent since the last call, on whichever connection: the text of each message that was executed, with its
   * parameters as literals. Several statements of one message are one text.
   */
  take(): readonly string[]
}

/** Starts to record what is sent to a database. The server must take connections without TLS. */
export async function recordStatements(database: TestDatabase): Promise<StatementRecorder> {
  const target = new URL(database.url)
  let recorded: string[] = []
  const sockets = new Set<Socket>()
  const server = createServer((client) => {
    const upstream = connect(Number(target.port === '' ? 5432 : target.port), target.hostname)
    const messages = new MessageReader((text) => recorded.push(text))
    client.on('data', (bytes: Buffer) => messages.read(bytes))
    client.pipe(upstream).pipe(client)
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(socket)
      // Whatever becomes of one side becomes of the other.
      socket.on('error', () => other.destroy())
      socket.on('close', () => {
        sockets.delete(socket)
        other.destroy()
      })
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const url = new URL(database.url)
  url.host = `127.0.0.1:${address !== null && typeof address === 'object' ? address.port : 0}`
  url.searchParams.set('sslmode', 'disable')
  return {
    url: url.href,
    take() {
      const taken = recorded
      recorded = []
      return taken
    },
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve))
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}

/** Finds the statements in what a client sends: https://www.postgresql.org/docs/current/protocol-message-formats.html */
class MessageReader {
  readonly #record: (text: string) => void
  readonly #prepared = new Map<string, string>()
  #bytes: Buffer = Buffer.alloc(0)
  /** The first message, and one that asks for TLS, have no type. */
  #isStarted = false

  constructor(record: (text: string) => void) {
    this.#record = record
  }

  read(bytes: Buffer): void {
    this.#bytes = Buffer.concat([this.#bytes, bytes])
    for (;;) {
      const typeBytes = this.#isStarted ? 1 : 0
      if (this.#bytes.length < typeBytes + 4) return
      const end = typeBytes + this.#bytes.readUInt32BE(typeBytes)
      if (this.#bytes.length < end) return
      const body = this.#bytes.subarray(typeBytes + 4, end)
      if (this.#isStarted) this.#look(String.fromCharCode(this.#bytes[0] ?? 0), body)
      else this.#isStarted = body.readUInt16BE(0) === PROTOCOL
      this.#bytes = this.#bytes.subarray(end)
    }
  }

  #look(type: string, body: Buffer): void {
    const [first, rest] = nullTerminated(body)
    if (type === 'Q') this.#record(first)
    if (type === 'P') this.#prepared.set(first, nullTerminated(rest)[0])
    if (type === 'B') {
      const [statement, values] = nullTerminated(rest)
      this.#record(inlineParameters(this.#prepared.get(statement) ?? '', parametersOf(values)))
    }
  }
}

const PROTOCOL = 3

function nullTerminated(bytes: Buffer): readonly [text: string, rest: Buffer] {
  const end = bytes.indexOf(0)
  return [bytes.toString('utf8', 0, end), bytes.subarray(end + 1)]
}

/** The values of a Bind message, all of them in text format. */
function parametersOf(bytes: Buffer): readonly (string | null)[] {
  let at = 2 + 2 * bytes.readUInt16BE(0)
  const values: (string | null)[] = []
  const count = bytes.readUInt16BE(at)
  at += 2
  while (values.length < count) {
    const length = bytes.readInt32BE(at)
    at += 4
    values.push(length < 0 ? null : bytes.toString('utf8', at, at + length))
    at += Math.max(length, 0)
  }
  return values
}
