/** Lets code wait for a condition that others bring about. */
export class ConditionWatch {
  #wake: (() => void)[] | null = null

  /** Something has changed: those who wait look again, soon. */
  changed(): void {
    if (this.#wake === null) return
    const wake = this.#wake
    this.#wake = null
    for (const one of wake) one()
  }

  /** Resolves when the condition holds, as far as {@link changed} tells of what may bring it about. */
  async until(holds: () => boolean): Promise<void> {
    while (!holds()) {
      await new Promise<void>((resolve) => {
        this.#wake ??= []
        this.#wake.push(resolve)
      })
    }
  }
}
