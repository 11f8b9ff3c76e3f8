import type { Interruption, LinkSequence, ReconnectPolicy, RowtapError, WaitingHost } from '@rowtap/core/driver'
import { isWorthTrying, Waiting } from '@rowtap/core/driver'
import { databaseError } from '../errors/database-error.ts'
import type { Link } from './link.ts'

/** How long a call that failed waits to hear whether its link was lost, in milliseconds. */
const LOSS_NOTICE_MS = 1000

/** For how long a call that fails for what others do is run again, in milliseconds: they may do it every time. */
const REPEAT_MS = 30_000

/** What {@link LinkCalls} work with. */
export interface LinkCallsParts {
  readonly links: LinkSequence<Link>
  /** Interrupts every call, once the session is closed. */
  readonly end: Interruption
  /** Resolves when the session is closed. */
  readonly ended: Promise<unknown>
  readonly isClosing: () => boolean
  /** `null`: a call that failed for what others do is not run again. */
  readonly policy: ReconnectPolicy | null
  /** Hears of such a call. */
  readonly host: WaitingHost
}

/**
 * Runs what a session is asked on its links: a call whose link is lost is run again on the next one. One that fails for what
 * others do (somebody cancels its statement; it is the victim of a deadlock) is run again on the same: other listeners are
 * not to be disturbed by it.
 */
export class LinkCalls {
  readonly #parts: LinkCallsParts
  #last: Promise<unknown> = Promise.resolve()

  constructor(parts: LinkCallsParts) {
    this.#parts = parts
  }

  /** Resolves when the calls of {@link inTurn} have ended. */
  get done(): Promise<unknown> {
    return this.#last
  }

  /** Runs one call after another, each on a link that lasts until it is done: otherwise it is run again on the next. */
  inTurn<T>(call: (link: Link) => Promise<T>): Promise<T> {
    const result = this.#last.then(() => this.untilDone(call))
    this.#last = result.catch(() => undefined)
    return result
  }

  /** Runs a call at once, on a link that lasts until it is done: otherwise it is run again on the next. */
  async untilDone<T>(call: (link: Link) => Promise<T>): Promise<T> {
    const { links, end, host, isClosing } = this.#parts
    let waiting: Waiting | null = null
    for (;;) {
      const link = await end.unless(() => links.current())
      try {
        return await end.unless(() => link.unlessLost(() => call(link)))
      } catch (error) {
        if (isClosing()) throw error
        // Whatever it was lost for: where there will be no other one, that is told when it is asked for.
        if (error === link.reason) continue
        const reason = databaseError(error, 'answer')
        if (reason.code !== 'ERR_CONNECTION_LOST') {
          const again = (waiting ??= new Waiting(host))
          if (!this.#isToBeRepeated(reason, again.elapsedMs)) throw error
          await end.unless(() => again.pause(`Trying again: ${reason.message}`, []))
        } else if (!(await this.isLost(link))) throw error
      }
    }
  }

  #isToBeRepeated(reason: RowtapError, elapsedMs: number): boolean {
    const { policy } = this.#parts
    return policy !== null && elapsedMs < Math.min(policy.giveUpAfterMs, REPEAT_MS) && isWorthTrying(reason)
  }

  /** Whether a link is lost, or is about to be: what fails for that reason may be told before the reason is. */
  async isLost(link: Link): Promise<boolean> {
    if (link.isLost) return true
    const patience = Promise.withResolvers<void>()
    const timer = setTimeout(patience.resolve, LOSS_NOTICE_MS)
    await Promise.race([link.lost, patience.promise, this.#parts.ended])
    clearTimeout(timer)
    return link.isLost
  }
}
