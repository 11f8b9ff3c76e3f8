import type { Driver, ErrorCode } from '@rowtap/core'
import { connect, RowtapError } from '@rowtap/core'
import assert from 'node:assert/strict'
import type { ConformanceCase } from '../conformance/conformance-case.ts'
import { catalogueSnapshot } from '../tools/catalogue-snapshot.ts'
import { standardTable } from '../tools/standard-table.ts'

/** Connecting and listening to `public.t` ends in this error, without the password in its message. */
async function assertFails(driver: Driver, url: string, code: ErrorCode, message?: RegExp): Promise<void> {
  await assert.rejects(
    async () => {
      await using client = await connect(driver)
      await client.listen({ table: 'public.t' }).ready
    },
    (error) => {
      assert.ok(RowtapError.is(error), `not a RowtapError: ${String(error)}`)
      assert.equal(error.code, code, error.message)
      if (message !== undefined) assert.match(error.message, message)
      assert.ok(!error.message.includes(new URL(url).password), 'the message holds the password')
      return true
    },
  )
}

const wrongPassword: ConformanceCase = {
  name: 'a wrong password is ERR_AUTHENTICATION_FAILED',
  law: 11,
  needs: [],
  async run(context) {
    const role = await context.database.createRole()
    const url = context.database.urlFor(role.name, 'not-the-password')
    await assertFails(context.createDriver(url), url, 'ERR_AUTHENTICATION_FAILED')
  },
}

const noServer: ConformanceCase = {
  name: 'a server that does not answer, or has no such database, is ERR_CONNECTION_FAILED',
  law: 11,
  needs: [],
  async run(context) {
    const nobody = new URL(context.database.url)
    nobody.port = '1'
    await assertFails(context.createDriver(nobody.href), nobody.href, 'ERR_CONNECTION_FAILED')
    const missing = new URL(context.database.url)
    missing.pathname = '/no_such_database'
    await assertFails(context.createDriver(missing.href), missing.href, 'ERR_CONNECTION_FAILED', /no_such_database/u)
  },
}

const poorRole: ConformanceCase = {
  name: 'a role without the privileges that capturing needs is ERR_SETUP_REQUIRED with the statement that helps, and nothing is changed',
  law: 11,
  needs: [],
  async run(context) {
    const { database } = context
    await standardTable(database, 't')
    const role = await database.createRole()
    const before = await catalogueSnapshot(database)
    await assertFails(context.createDriver(role.url), role.url, 'ERR_SETUP_REQUIRED', /ALTER ROLE|GRANT |OWNER TO/u)
    assert.deepEqual(await catalogueSnapshot(database), before, 'left behind by a client that was refused')
  },
}

const aborted: ConformanceCase = {
  name: 'a client that is given up before it is open is ERR_ABORTED, and leaves nothing',
  law: 11,
  needs: [],
  async run(context) {
    const before = await catalogueSnapshot(context.database)
    const abort = new AbortController()
    const connecting = connect(context.driver, { signal: abort.signal })
    abort.abort()
    await assert.rejects(connecting, (error) => RowtapError.is(error, 'ERR_ABORTED'))
    assert.deepEqual(await catalogueSnapshot(context.database), before, 'left behind by a client that was given up')
  },
}

/** Law 11: what cannot work is refused, with what helps. */
export const refusalCases: readonly ConformanceCase[] = [wrongPassword, noServer, poorRole, aborted]
