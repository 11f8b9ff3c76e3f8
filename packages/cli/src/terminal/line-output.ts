/** The part of a writable stream that is needed. */
export interface OutputStream {
  write(text: string, done?: (error?: Error | null) => void): boolean
  once(event: 'drain', listener: () => void): unknown
  off(event: 'drain', listener: () => void): unknown
  on(event: 'error', listener: (error: Error) => void): unknown
}

/**
 * Writes lines to a stream as fast as its reader takes them. A reader that goes away (`| head -1`) is no failure:
 * what is written after that is dropped, and {@link LineOutput.closed} tells.
 */
export class LineOutput {
  /** Resolves when the reader has gone away; rejects when writing fails for another reason (a full disk). */
  readonly closed: Promise<void>
  readonly #stream: OutputStream
  #isClosed = false

  constructor(stream: OutputStream) {
    this.#stream = stream
    this.closed = new Promise((resolve, reject) => {
      stream.on('error', (error) => {
        this.#isClosed = true
        if ('code' in error && (error.code === 'EPIPE' || error.code === 'ERR_STREAM_DESTROYED')) resolve()
        else reject(new Error(`standard output cannot be written: ${error.message}`, { cause: error }))
      })
    })
    // Whoever writes races this promise or flushes; that nobody does so at this moment is not a failure of its own.
    this.closed.catch(() => {})
  }

  /** Whether nothing more can be written. */
  get isClosed(): boolean {
    return this.#isClosed
  }

  /** Writes a piece of text as it is, for what is no line: a terminal's last row. */
  writeText(text: string): void {
    if (!this.#isClosed) this.#stream.write(text)
  }

  /** Writes one line. Where the stream has enough for now, returns a promise that resolves when it takes more. */
  write(line: string): Promise<void> | undefined {
    if (this.#isClosed || this.#stream.write(`${line}\n`)) return undefined
    const stream = this.#stream
    const drained = Promise.withResolvers<void>()
    stream.once('drain', drained.resolve)
    return Promise.race([drained.promise, this.closed]).finally(() => stream.off('drain', drained.resolve))
  }

  /** Resolves when everything written has left the process, or its reader has gone. Rejects as `closed` does. */
  async flush(): Promise<void> {
    if (this.#isClosed) return this.closed
    const flushed = new Promise<void>((resolve) => {
      this.#stream.write('', () => resolve())
    })
    await Promise.race([flushed, this.closed])
  }
}
