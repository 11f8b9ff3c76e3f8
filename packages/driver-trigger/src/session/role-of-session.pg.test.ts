import { cutConnections, eventually } from '@rowtap/driver-testkit'
import { describePostgres } from '@rowtap/driver-testkit/vitest'
import { expect, test } from 'vitest'
import { inspectTrigger } from '../health/inspect-trigger.ts'
import { openTestSession } from '../testing/open-test-session.ts'
import { uninstallTrigger } from '../uninstall/uninstall-trigger.ts'

const QUICK = { minDelayMs: 10, maxDelayMs: 100 }
const BILLING = { name: 'billing', wait: true, onPositionLost: 'stop' } as const

describePostgres('a login that acts as another role, and does not see its own processes', (postgres) => {
  test.each([null, BILLING])('captures, connects again, and is known to live (%o)', async (subscription) => {
    await using database = await postgres.createDatabase()
    const [owner, login] = [await database.createRole(), await database.createRole('NOINHERIT')]
    await database.query(`
      GRANT "${owner.name}" TO "${login.name}";
      ALTER ROLE "${login.name}" SET role = '${owner.name}';
      GRANT CREATE ON DATABASE "${database.name}" TO "${owner.name}";
      CREATE TABLE t (id int PRIMARY KEY);
      ALTER TABLE t OWNER TO "${owner.name}"`)
    const session = await openTestSession({ connection: login.url, reconnect: QUICK }, subscription)
    await session.capture('t')
    await database.query('INSERT INTO t VALUES (1)')
    await session.count(1)
    await expect(uninstallTrigger({ connection: login.url })).rejects.toMatchObject({ code: 'ERR_SUBSCRIPTION_IN_USE' })
    const { installations } = await inspectTrigger({ connection: login.url })
    expect(JSON.stringify(installations)).toContain('"isAlive":true')
    await cutConnections(database)
    await database.query('INSERT INTO t VALUES (2)')
    await session.count(2)
    expect(session.changes).toHaveLength(2)
    expect(session.notices.filter(({ kind }) => kind === 'gap')).toEqual([])
    await session.close()
    expect(session.error()).toBe(null)
    if (subscription !== null)
      await eventually(async () => (await uninstallTrigger({ connection: login.url })) === null, 'an end')
  })
})
