/** Holds something back for a while. Several may close it; it is open when each of them has opened it again. */
export class Gate {
  #closed = 0
  #opened: (() => void)[] = []

  /** Closes the gate. Returns the function that opens it again. */
  close(): () => void {
    this.#closed += 1
    let done = false
    return () => {
      if (done) return
      done = true
      this.#closed -= 1
      if (this.#closed > 0) return
      for (const resume of this.#opened.splice(0)) resume()
    }
  }

  get isClosed(): boolean {
    return this.#closed > 0
  }

  /** Resolves when the gate is open. */
  async passed(): Promise<void> {
    while (this.#closed > 0) {
      await new Promise<void>((resolve) => {
        this.#opened.push(resolve)
      })
    }
  }
}
