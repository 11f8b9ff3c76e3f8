import type { Client } from 'pg'
import { setTimeout as sleep } from 'node:timers/promises'
import type { TestDatabase } from '../postgres/test-database.ts'
import type { AcknowledgedSample } from './audit/handling.ts'
import type { ChaosDriver } from './chaos-driver.ts'
import type { Consumers } from './consumers.ts'

/** What is looked at. */
export interface AcknowledgedSamplesOptions {
  readonly database: TestDatabase
  readonly driver: ChaosDriver
  readonly subscription: string
  readonly consumers: Consumers
}

const PAUSE_MS = 50

/** Looks again and again at how far the subscription is acknowledged, and what has been handled by then. */
export class AcknowledgedSamples {
  readonly all: AcknowledgedSample[] = []
  readonly #options: AcknowledgedSamplesOptions
  readonly #ended: Promise<void>
  #isStopped = false

  constructor(options: AcknowledgedSamplesOptions) {
    this.#options = options
    this.#ended = this.#watch()
  }

  /** Looks no more. */
  async stop(): Promise<void> {
    this.#isStopped = true
    await this.#ended
  }

  async #watch(): Promise<void> {
    const { database } = this.#options
    let connection: Client | null = null
    while (!this.#isStopped) {
      try {
        connection ??= await database.connect()
        await this.#look(connection)
      } catch {
        // The server is down now and then: it is looked at again.
        await connection?.end().catch(() => undefined)
        connection = null
      }
      await sleep(PAUSE_MS)
    }
    await connection?.end().catch(() => undefined)
  }

  async #look(connection: Client): Promise<void> {
    const { driver, subscription, consumers } = this.#options
    const acknowledged = (await driver.acknowledged?.(connection, subscription)) ?? null
    await consumers.read()
    const last = this.all.at(-1)
    if (acknowledged === null || last?.acknowledged === acknowledged) return
    this.all.push({ acknowledged, handlings: consumers.handlings })
  }
}
