import type { Duplex } from 'node:stream'
import { TLSSocket } from 'node:tls'

/** How much may wait in memory, undecoded, before the socket is left alone. */
const READ_AHEAD_BYTES = 1024 * 1024
/** Above this rate it pays to read late and much. */
const BUSY_BYTES_PER_MS = 4 * 1024
/** What Node reads at once at most. */
const FULL_CHUNK_BYTES = 64 * 1024
/** Over how long the rate is measured. */
const SHORTEST_WINDOW_MS = 1
const LONGEST_WINDOW_MS = 4
/** How long the socket is left alone while there is much. */
const REST_MS = 2

type OnData = (chunk: Buffer) => void

/**
 * Takes the received bytes of a `pg` connection before `pg` sees them, and holds a bounded amount of them until
 * they are asked for.
 *
 * `pg` would make an object, a slice and two events of each row, which costs more than decoding it; it would call
 * us however far behind we are; and its buffer is written to again while slices of it are still held.
 *
 * The server sends each row by itself. A reader that wakes for each takes the processor from the server as often,
 * and halves its rate: so while there is much, the socket rests a moment between two reads. While there is little,
 * each row is read at once.
 */
export class SocketReader {
  readonly #stream: Duplex
  readonly #original: readonly OnData[]
  readonly #isEncrypted: boolean
  #chunks: Buffer[] = []
  #bytes = 0
  #wake: (() => void) | null = null
  #ended = false
  #windowStart = 0
  #windowBytes = 0
  #busyAt = -Infinity
  #rest: NodeJS.Timeout | null = null
  #turn: NodeJS.Immediate | null = null
  #heardAt = performance.now()

  constructor(stream: Duplex) {
    this.#stream = stream
    this.#original = stream.listeners('data') as OnData[]
    this.#isEncrypted = stream instanceof TLSSocket
    stream.removeAllListeners('data')
    stream.on('data', this.#onData)
    stream.once('close', this.#onClose)
  }

  /** Gives bytes to `pg` after all: whole messages that are not data. */
  handOver(frame: Buffer): void {
    for (const listener of this.#original) listener(frame)
  }

  /** What has arrived next, or `null` where nothing has. */
  take(): Buffer | null {
    const chunk = this.#chunks.shift()
    if (chunk === undefined) return null
    this.#bytes -= chunk.length
    this.#resume()
    return chunk
  }

  /** Resolves when something has arrived, or nothing will any more. Only one may wait. */
  async arrival(): Promise<void> {
    if (this.#chunks.length > 0 || this.#ended) return
    await new Promise<void>((resolve) => {
      this.#wake = resolve
    })
    this.#wake = null
  }

  /** Whether the socket is left alone because enough waits in memory. */
  get isFull(): boolean {
    return this.#bytes >= READ_AHEAD_BYTES
  }

  /** When something arrived last, or could have again after the socket was left alone, by `performance.now()`. */
  get heardAt(): number {
    return this.#heardAt
  }

  /** Ends a wait for an arrival. */
  wake(): void {
    this.#wake?.()
  }

  /** Whether the connection is closed. What has arrived before can still be taken. */
  get isEnded(): boolean {
    return this.#ended
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#chunks.push(chunk)
    this.#bytes += chunk.length
    if (this.isFull) this.#stream.pause()
    this.#windowBytes += chunk.length
    const isBusy = this.#isBusy()
    // A chunk that is not full is all that there is: the next one would be a row or two. An encrypted connection
    // gives each row as a chunk.
    if (isBusy && chunk.length < FULL_CHUNK_BYTES && !this.#isEncrypted) this.#letRest()
    if (this.#turn !== null) return
    // While there is little, somebody waits for this one.
    if (isBusy) this.#turn = setImmediate(this.#onTurn)
    else this.#arrived()
  }

  /** Everything that the system had is read. */
  readonly #onTurn = (): void => {
    this.#turn = null
    if (this.#isBusy()) this.#letRest()
    this.#arrived()
  }

  #arrived(): void {
    this.#heardAt = performance.now()
    this.#wake?.()
  }

  readonly #onRested = (): void => {
    this.#rest = null
    this.#resume()
  }

  readonly #onClose = (): void => {
    this.#ended = true
    if (this.#rest !== null) clearTimeout(this.#rest)
    this.#wake?.()
  }

  #letRest(): void {
    if (this.#rest !== null || this.#ended) return
    this.#stream.pause()
    this.#rest = setTimeout(this.#onRested, REST_MS)
  }

  /** Whether there is much, or has just been: to find out anew would take a reading for each row. */
  #isBusy(): boolean {
    const now = performance.now()
    const elapsed = now - this.#windowStart
    const isBusy = elapsed >= SHORTEST_WINDOW_MS && this.#windowBytes >= elapsed * BUSY_BYTES_PER_MS
    if (isBusy) this.#busyAt = now
    if (isBusy || elapsed >= LONGEST_WINDOW_MS) {
      this.#windowStart = now
      this.#windowBytes = 0
    }
    return now - this.#busyAt < LONGEST_WINDOW_MS
  }

  #resume(): void {
    if (this.#rest !== null || this.isFull || !this.#stream.isPaused()) return
    this.#heardAt = performance.now()
    this.#stream.resume()
  }
}
