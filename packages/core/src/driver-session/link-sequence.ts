import { setTimeout as sleep } from 'node:timers/promises'
import type { DriverHost } from '../contract/driver.ts'
import { SQLSTATE_MEANINGS } from '../driver-errors/sqlstate-meaning.ts'
import { statementError } from '../driver-errors/statement-error.ts'
import { RowtapError } from '../rowtap-error.ts'
import type { ReconnectPolicy } from './reconnect-policy.ts'
import { delayMs, isWorthTrying } from './reconnect-policy.ts'

/** A link that is lost sooner is no success: the next one is made as if this one had not been. */
const LASTING_MS = 5000

/** The connections of a session that live and are lost together. */
export interface SequencedLink {
  /** Whether it is lost. */
  readonly isLost: boolean
  /** Resolves with the reason when it is lost; never where it ends in good order. */
  readonly lost: Promise<RowtapError>
  /** Closes what is left of it. Never rejects. */
  abandon(): Promise<void>
}

/** What a {@link LinkSequence} works with. */
export interface LinkSequenceParts<L extends SequencedLink> {
  /** `null`: the first link is the only one. */
  readonly policy: ReconnectPolicy | null
  /** Its signal ends every wait. */
  readonly host: Pick<DriverHost, 'signal' | 'notify'>
  /** SQLSTATEs of errors after which connecting again may help, besides those for which it always may. */
  readonly passing: ReadonlySet<string>
  /** Makes the link that follows one that was lost. */
  readonly connect: (former: L) => Promise<L>
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
export class LinkSequence<L extends SequencedLink> {
  readonly #parts: LinkSequenceParts<L>
  readonly #successors = new WeakMap<L, Promise<L>>()
  #newest: Promise<L>
  /** How many links in a row did not last. */
  #short = 0

  constructor(first: L, parts: LinkSequenceParts<L>) {
    this.#parts = parts
    this.#newest = Promise.resolve(first)
    this.#follow(first)
  }

  /**
   * The newest link, as soon as there is one that is not known to be lost.
   *
   * @throws RowtapError why there will be none any more.
   */
  async current(): Promise<L> {
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
  async after(link: L): Promise<L> {
    await link.lost
    return await (this.#successors.get(link) ?? this.#newest)
  }

  #follow(followed: L): void {
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

  async #replace(lost: L, reason: RowtapError): Promise<L> {
    const { policy, host, passing, connect } = this.#parts
    const since = performance.now()
    let cause = reason
    await lost.abandon()
    if (policy === null) throw cause
    for (let attempt = 1; ; attempt += 1) {
      if (!isWorthTrying(cause, passing) || host.signal.aborted) throw cause
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
        cause = statementError(error, 'connect again', SQLSTATE_MEANINGS)
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
