/** A piece of work that holds a key: while it runs, nothing else with that key does. */
export interface KeyedTask {
  /** `null`: it concerns every key, so it runs alone, after all that came before and before all that comes after. */
  readonly key: string | null
}

/**
 * Decides what may run next so that work with the same key runs in the order in which it came, and everything else
 * may overtake.
 *
 * A key is in `#busy` while a task of it runs or may run; tasks of it that came later wait in its list.
 */
export class KeyOrder<T extends KeyedTask> {
  readonly #busy = new Map<string, T[]>()
  readonly #runnable: T[] = []
  /** A task that has to run alone, and waits for what is before it. */
  #barrier: T | null = null
  #barrierRuns = false
  #running = 0

  /** How many tasks have begun and are not done. */
  get running(): number {
    return this.#running
  }

  /** Whether another task may be added: not while one that concerns every key waits or runs. */
  get accepts(): boolean {
    return this.#barrier === null
  }

  /** Whether nothing waits and nothing runs. */
  get isIdle(): boolean {
    return this.#running === 0 && this.#barrier === null && this.#busy.size === 0
  }

  add(task: T): void {
    if (task.key === null) {
      this.#barrier = task
      return
    }
    const waiting = this.#busy.get(task.key)
    if (waiting === undefined) {
      this.#busy.set(task.key, [])
      this.#runnable.push(task)
    } else {
      waiting.push(task)
    }
  }

  /** The next task that may run now, which then counts as running. */
  next(): T | null {
    const task = this.#runnable.shift()
    if (task !== undefined) {
      this.#running += 1
      return task
    }
    if (this.#barrier !== null && this.#running === 0 && this.#busy.size === 0) {
      this.#running = 1
      this.#barrierRuns = true
      return this.#barrier
    }
    return null
  }

  /** A running task is done: what waited for it may run. */
  done(task: T): void {
    this.#running -= 1
    if (task.key === null) {
      this.#barrier = null
      this.#barrierRuns = false
      return
    }
    const next = this.#busy.get(task.key)?.shift()
    if (next === undefined) this.#busy.delete(task.key)
    else this.#runnable.push(next)
  }

  /** Forgets the tasks that have not begun, and returns them. */
  clear(): readonly T[] {
    const waiting = [...this.#runnable.splice(0), ...[...this.#busy.values()].flatMap((list) => list.splice(0))]
    if (this.#barrier === null || this.#barrierRuns) return waiting
    waiting.push(this.#barrier)
    this.#barrier = null
    return waiting
  }
}
