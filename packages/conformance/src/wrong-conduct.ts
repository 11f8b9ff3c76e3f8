import type { ChangeBatch, Driver, DriverHost } from '@rowtap/core/driver'
import { quoteTableName } from '@rowtap/core/driver'
import { Client } from 'pg'
import type { BrokenDriver } from './broken-driver.ts'
import { withCapabilities, withSession } from './damaged-driver.ts'

const tooEarly: BrokenDriver = {
  defect: 'says that a table is live before it is',
  failing: ['ready is honest: what is inserted at once after it arrives, every time'],
  break: (driver) =>
    withSession(driver, (session) => {
      let live: ReturnType<typeof session.capture> | undefined
      let count = 0
      return {
        async capture(requests) {
          count += 1
          const before = live === undefined ? undefined : await live
          live = session.capture(requests)
          // Honest at first, as such defects are.
          return before === undefined || requests.length === 0 || count < 8 ? live : before
        },
      }
    }),
}

const litters: BrokenDriver = {
  defect: 'leaves a table behind',
  failing: [
    'after close nothing is left in the database: no slot, publication, trigger or function, no replica identity changed',
  ],
  break: (driver, url) =>
    withSession(driver, (session) => {
      let hasCaptured = false
      return {
        capture(requests) {
          hasCaptured = true
          return session.capture(requests)
        },
        async close() {
          await session.close()
          // One that only plans has another case.
          if (hasCaptured) await query(url, 'CREATE TABLE IF NOT EXISTS public.left_behind (id int)')
        },
      }
    }),
}

const meddles: BrokenDriver = {
  defect: 'sets the replica identity of a captured table to full without being asked',
  failing: [
    'after close nothing is left in the database: no slot, publication, trigger or function, no replica identity changed',
  ],
  break: (driver, url) =>
    withSession(driver, (session) => ({
      async capture(requests) {
        // Of one name only: with old rows where there should be none, other cases would notice, too.
        for (const { table } of requests.filter((request) => request.table.name === 'a')) {
          await query(url, `ALTER TABLE ${quoteTableName(table)} REPLICA IDENTITY FULL`)
        }
        return session.capture(requests)
      },
    })),
}

const stays: BrokenDriver = {
  defect: 'leaves a connection open after close',
  failing: ['after close no connection is left, also when listeners were refused or still being attached'],
  break: (driver, url) => ({
    specification: driver.specification,
    name: driver.name,
    capabilities: driver.capabilities,
    async open(host) {
      const forgotten = new Client({ connectionString: url })
      forgotten.on('error', () => undefined)
      await forgotten.connect()
      return driver.open(host)
    },
  }),
}

const queues: BrokenDriver = {
  defect: 'waits for a table lock with the writers queued behind it',
  failing: ['attaching to a table that a transaction has written to does not hold up other writers'],
  break: (driver, url) =>
    withSession(driver, (session) => ({
      async capture(requests) {
        for (const { table } of requests)
          await query(url, `BEGIN; LOCK TABLE ${quoteTableName(table)} IN ACCESS EXCLUSIVE MODE; COMMIT`)
        return session.capture(requests)
      },
    })),
}

const PLAN_CASES = [
  'a plan made before connecting shows statements for every table, and executes none of them',
  'a client’s plan leaves the database as it is, and nothing of it is left to do once its listener is live',
]

const hasty: BrokenDriver = {
  defect: 'executes something when it is asked for a plan',
  failing: PLAN_CASES,
  break: (driver, url) =>
    withSession(driver, (session) => ({
      async plan(requests) {
        await query(url, 'CREATE TABLE IF NOT EXISTS public.made_by_a_plan (id int)')
        return session.plan(requests)
      },
    })),
}

const secretive: BrokenDriver = {
  defect: 'keeps the statements to itself when it is asked for a plan',
  failing: PLAN_CASES,
  break: (driver) => withSession(driver, () => ({ plan: () => Promise.resolve([]) })),
}

const silent: BrokenDriver = {
  defect: 'says nothing when its connection is lost',
  failing: [
    'a lost connection is told: by ERR_CONNECTION_LOST, or by reconnecting with a gap where changes may be missing',
  ],
  break: (driver) => {
    let isLost = false
    const notice = (host: DriverHost): DriverHost['notify'] => {
      return (told) => {
        if (told.kind === 'reconnect') isLost = true
        if (!isLost) host.notify(told)
      }
    }
    const quiet: Driver = {
      specification: driver.specification,
      name: driver.name,
      capabilities: driver.capabilities,
      open(host) {
        const { subscription, signal, planOnly, messages } = host
        return driver.open({ subscription, signal, planOnly, messages, notify: notice(host) })
      },
    }
    return withSession(quiet, (session) => {
      const closed = Promise.withResolvers<void>()
      return {
        async *batches(): AsyncIterable<ChangeBatch> {
          for await (const batch of session.batches()) {
            if (isLost) await closed.promise
            yield batch
          }
        },
        close() {
          closed.resolve()
          return session.close()
        },
      }
    })
  },
}

const boasts: BrokenDriver = {
  defect: 'promises in its manifest what it does not do',
  failing: ['old rows are as whole as the manifest says'],
  break: (driver) => {
    const { capabilities } = driver
    // Whatever the driver under it says of old rows, the opposite is not true.
    const rows = Object.freeze({
      ...capabilities.rows,
      oldWithoutSetup: capabilities.rows.oldWithoutSetup === false ? ('database' as const) : (false as const),
    })
    return withCapabilities(driver, Object.freeze({ ...capabilities, rows }))
  },
}

const untidy: BrokenDriver = {
  defect: 'has a manifest that can be changed',
  failing: ['the manifest is frozen, has every cell and no other, and is the driver’s'],
  break: (driver) => withCapabilities(driver, { ...driver.capabilities }),
}

/** Drivers that deliver the right changes, and yet break a promise. */
export const WRONG_CONDUCT: readonly BrokenDriver[] = [
  tooEarly,
  litters,
  meddles,
  stays,
  queues,
  hasty,
  secretive,
  silent,
  boasts,
  untidy,
]

async function query(url: string, sql: string): Promise<void> {
  const client = new Client({ connectionString: url, application_name: 'rowtap-testkit' })
  await client.connect()
  try {
    await client.query(sql)
  } finally {
    await client.end()
  }
}
