import { setTimeout as sleep } from 'node:timers/promises'
import type { DriverHost } from '@rowtap/core/driver'
import { RowtapError } from '@rowtap/core/driver'
import { databaseError } from '../errors/database-error.ts'
import type { Link } from './link.ts'
import type { ReconnectPolicy } from './reconnect-policy.ts'
import { delayMs, isWorthTrying } from './reconnect-policy.ts'

/** A link that is lost sooner is no success: the next one is made as if this one had not been. */
const LASTING_MS = 5000

/** What a {@link LinkSequence} works with. */
export interface LinkSequenceParts {
  /** `null`: the first link is the only one. */
  readonly policy: ReconnectPolicy | null
  /** Its signal ends every wait. */
  readonly host: DriverHost
  /** Makes the link that follows one that was lost. */
  readonly connect: (former: Link) => Promise<Link>
}

/**
 * One link after another.
 *
 * ```
 * linked ──lost──▶ connecting ──▶ linked
 *                   ▲      └──an error that will not pass, or too long──▶ failed
 *                   └──pause──an error that may pass
 * ```
 */
export class LinkSequence {
  readonly #parts: LinkSequenceParts
  readonly #successors = new WeakMap<Link, Promise<Link>>()
  #newest: Promise<Link>
  /** How many links in a row did not last. */
  #short = 0

  constructor(first: Link, parts: LinkSequenceParts) {
    this.#parts = parts
    this.#newest = Promise.resolve(first)
    this.#follow(first)
  }

  /**
   * The newest link, as soon as there is one that is not known to be lost.
   *
   * @throws RowtapError why there will be none any more.
   */
  async current(): Promise<Link> {
    for (;;) {
      const link = await this.#newest
      if (!link.isLost) return link
      await this.after(link)
    }
  }

  /**
   * The link that follows this one, once this one is lost.
   *
   * @throws RowtapError why there will be none.
   */
  async after(link: Link): Promise<Link> {
    await link.lost
    return await (this.#successors.get(link) ?? this.#newest)
  }

  #follow(followed: Link): void {
    const since = performance.now()
    void followed.lost.then((cause) => {
      this.#short = performance.now() - since < LASTING_MS ? this.#short + 1 : 0
      const successor = this.#replace(followed, cause)
      this.#successors.set(followed, successor)
      this.#newest = successor
      // Whoever waits for the successor hears of a failure.
      successor.then(
        (link) => this.#follow(link),
        () => undefined,
      )
    })
  }

  async #replace(lost: Link, reason: RowtapError): Promise<Link> {
    const { policy, host, connect } = this.#parts
    const since = performance.now()
    let cause = reason
    await lost.abandon()
    if (policy === null) throw cause
    for (let attempt = 1; ; attempt += 1) {
      if (!isWorthTrying(cause) || host.signal.aborted) throw cause
      if (performance.now() - since >= policy.giveUpAfterMs) throw givenUp(policy, cause)
      await sleep(delayMs(policy, attempt + this.#short, Math.random()), undefined, { signal: host.signal }).catch(
        () => undefined,
      )
      if (host.signal.aborted) throw cause
      host.notify({ kind: 'reconnect', outcome: 'trying', attempt, cause })
      try {
        const link = await connect(lost)
        host.notify({ kind: 'reconnect', outcome: 'connected', attempt, cause })
        return link
      } catch (error) {
        if (host.signal.aborted) throw cause
        cause = databaseError(error, 'connect again')
      }
    }
  }
}

function givenUp({ giveUpAfterMs }: ReconnectPolicy, cause: RowtapError): RowtapError {
  return new RowtapError('ERR_CONNECTION_LOST', {
    message: `The connection to PostgreSQL was lost, and could not be made again within ${giveUpAfterMs / 1000} s: ${cause.message}`,
    retryable: true,
    cause,
  })
}
