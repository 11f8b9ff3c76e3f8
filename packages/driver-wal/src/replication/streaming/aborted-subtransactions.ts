/** The subtransactions of one transaction that are rolled back: four bytes for each, however many there are. */
export class AbortedSubtransactions {
  #xids: Uint32Array = new Uint32Array(0)
  #count = 0
  #isSorted = true

  /** Adds one. */
  add(xid: number): void {
    if (this.#count === this.#xids.length) {
      const larger = new Uint32Array(Math.max(16, this.#count * 2))
      larger.set(this.#xids)
      this.#xids = larger
    }
    const last = this.#xids[this.#count - 1]
    if (last !== undefined && last > xid) this.#isSorted = false
    this.#xids[this.#count] = xid
    this.#count += 1
  }

  /** Whether it is rolled back. */
  has(xid: number): boolean {
    if (!this.#isSorted) {
      this.#xids.subarray(0, this.#count).sort()
      this.#isSorted = true
    }
    let low = 0
    let high = this.#count
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#xids[middle] ?? 0) < xid) low = middle + 1
      else high = middle
    }
    return low < this.#count && this.#xids[low] === xid
  }
}
