import type { ClientSignals, PassedOver } from '../client.ts'
import type { DriverNotice } from '../contract/driver.ts'
import { invalidOptions } from '../options/check-option-names.ts'

type Handlers = { readonly [K in keyof ClientSignals]: Set<(notice: ClientSignals[K]) => void> }

/** The handlers of a client's signals. */
export class Signals {
  readonly #handlers: Handlers = {
    gap: new Set(),
    reconnect: new Set(),
    wait: new Set(),
    passedOver: new Set(),
    error: new Set(),
  }

  /** Adds a handler. Returns the function that removes it. */
  on<K extends keyof ClientSignals>(signal: K, handler: (notice: ClientSignals[K]) => void): () => void {
    if (!Object.hasOwn(this.#handlers, signal)) {
      throw invalidOptions(
        `A client has signals ${Object.keys(this.#handlers).join(', ')}, not ${JSON.stringify(signal)}.`,
      )
    }
    if (typeof handler !== 'function') throw invalidOptions(`on('${signal}') takes a function.`)
    // A wrapper gives each registration an identity, so that removing one leaves its twin.
    const registered = (notice: ClientSignals[K]): void => handler(notice)
    this.#handlers[signal].add(registered)
    return () => {
      this.#handlers[signal].delete(registered)
    }
  }

  /** Adds the handlers that are given by the name of their signal. */
  addAll(handlers: Readonly<Record<string, unknown>>): void {
    for (const [signal, handler] of Object.entries(handlers)) {
      if (handler !== undefined) this.on(signal as keyof ClientSignals, handler as (notice: unknown) => void)
    }
  }

  /** Calls the handlers. Returns whether there was one. */
  emit<K extends keyof ClientSignals>(signal: K, notice: ClientSignals[K]): boolean {
    const handlers = [...this.#handlers[signal]]
    for (const handler of handlers) {
      try {
        handler(notice)
      } catch (error) {
        // A handler's mistake must neither stop the reading nor stay unseen.
        throwUncaught(error)
      }
    }
    return handlers.length > 0
  }

  /** Says that an event was given up. Without a handler it becomes a process warning: it is never silent. */
  passedOver(notice: PassedOver): void {
    if (this.emit('passedOver', notice)) return
    if (notice.kind === 'skip') process.emitWarning(`An event was skipped: ${notice.error.message}`, 'RowtapSkip')
  }

  /** Passes on what a driver has to say. A gap is never silent: without a handler it becomes a process warning. */
  notify(notice: DriverNotice): void {
    switch (notice.kind) {
      case 'gap':
        if (!this.emit('gap', notice))
          process.emitWarning(`Changes may have been missed: ${notice.reason}`, 'RowtapGap')
        return
      case 'reconnect':
        this.emit('reconnect', notice)
        return
      case 'wait':
        this.emit('wait', notice)
    }
  }
}

/** Raises an error that nobody is there to catch, as an uncaught exception. */
export function throwUncaught(error: unknown): void {
  queueMicrotask(() => {
    throw error
  })
}
