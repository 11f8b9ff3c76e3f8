import type { Driver } from '@rowtap/core'
import type { Client } from 'pg'

/**
 * What a chaos test's module exports as `chaosDriver`. The module is loaded by the consumer's process, too, so that it can
 * be killed: it must be one that Node loads by itself.
 */
export interface ChaosDriver {
  /** Makes the driver for a database. It must not connect: a driver does not before it is opened. */
  create(database: { readonly url: string }): Driver
  /**
   * Reads how far the subscription is acknowledged, in the terms of its positions: every change with a smaller position
   * counts as handled in the database. `null`: nothing does. Left out: it is not looked at.
   */
  acknowledged?(connection: Pick<Client, 'query'>, subscription: string): Promise<string | null>
}

/** Loads the module of a chaos test. */
export async function loadChaosDriver(module: string): Promise<ChaosDriver> {
  const { chaosDriver } = (await import(/* @vite-ignore */ module)) as { readonly chaosDriver: ChaosDriver }
  return chaosDriver
}
