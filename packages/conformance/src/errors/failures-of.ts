import type { Driver, DriverHost } from '@rowtap/core/driver'
import { RowtapError } from '@rowtap/core/driver'
import { triggerDriver } from '@rowtap/driver-trigger'
import { walDriver } from '@rowtap/driver-wal'

/** What both drivers' option `connection` takes of the same. */
export type GivenConnection = string | { readonly connectionString: string; readonly connectionTimeoutMillis: number }

/** A failure, as far as a program and its user see it. */
export interface Failure {
  readonly code: string
  readonly retryable: boolean
  readonly message: string
}

const HOST: DriverHost = {
  subscription: null,
  signal: new AbortController().signal,
  planOnly: false,
  messages: false,
  notify: () => {},
}

/** How opening each driver, and capturing a table where one is named, fails. */
export async function failuresOf(
  connection: GivenConnection,
  table?: string,
): Promise<Record<'wal' | 'trigger', Failure>> {
  return {
    wal: await failureOf(walDriver({ connection }), table),
    trigger: await failureOf(triggerDriver({ connection }), table),
  }
}

async function failureOf(driver: Driver, table: string | undefined): Promise<Failure> {
  try {
    const session = await driver.open(HOST)
    try {
      if (table === undefined) throw new Error(`the driver ${driver.name} opened`)
      const name = { schema: 'public', name: table }
      await session.describe(name)
      await session.capture([{ table: name, operations: new Set(['insert']), columns: null, comparedEnums: new Set() }])
      throw new Error(`the driver ${driver.name} captured`)
    } finally {
      await session.close()
    }
  } catch (error) {
    if (RowtapError.is(error)) return { code: error.code, retryable: error.retryable, message: error.message }
    throw error
  }
}
