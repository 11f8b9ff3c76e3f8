import type { ConsumerResult } from '../peer.ts'

/** Measures from a workload's first marker until its second one and all of its rows were seen. */
export class WorkloadClock {
  readonly #rows: number
  readonly #finished = Promise.withResolvers<ConsumerResult>()
  #seen = 0
  #hasEnded = false
  #startedAt = 0
  #cpu: NodeJS.CpuUsage = process.cpuUsage()

  constructor(rows: number) {
    this.#rows = rows
  }

  /** Resolves when everything was seen. */
  get finished(): Promise<ConsumerResult> {
    return this.#finished.promise
  }

  row(): void {
    this.#seen += 1
    if (this.#seen === this.#rows && this.#hasEnded) this.#finish()
  }

  /** @param id 1 before the workload, 2 behind it. */
  marker(id: unknown): void {
    if (id === 1) {
      this.#cpu = process.cpuUsage()
      this.#startedAt = performance.now()
    } else {
      this.#hasEnded = true
      if (this.#seen === this.#rows) this.#finish()
    }
  }

  #finish(): void {
    const { user, system } = process.cpuUsage(this.#cpu)
    this.#finished.resolve({
      seconds: (performance.now() - this.#startedAt) / 1000,
      cpuSeconds: (user + system) / 1_000_000,
      peakRssBytes: process.resourceUsage().maxRSS * 1024,
    })
  }
}
