import { eventually } from '@rowtap/driver-testkit'
import { describePostgres } from '@rowtap/driver-testkit/vitest'
import { expect, test } from 'vitest'
import { openTestSession } from '../testing/open-test-session.ts'

const TRANSACTIONS = 400
const WRITE = `DO $$ BEGIN FOR i IN 1..${TRANSACTIONS} LOOP INSERT INTO t VALUES (i, repeat('x', 5000)); COMMIT; END LOOP; END $$`
const BILLING = { name: 'billing', wait: true, onPositionLost: 'stop' } as const

describePostgres('the columns of a table that was altered while nobody read', (postgres) => {
  test('are kept for what was written until that is handled, and not longer', { timeout: 120_000 }, async () => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE t (id int PRIMARY KEY, v text)')
    const first = await openTestSession({ connection: database.url }, BILLING)
    await first.capture('t')
    await first.close()
    await database.query('ALTER TABLE t ADD COLUMN w int')
    await database.query(WRITE)
    const kept = async (): Promise<number> => {
      const [row] = await database.query('SELECT count(*) FROM rowtap.unsettled')
      return Number(row?.['count'])
    }
    expect(await kept()).toBeGreaterThan(0)
    await using second = await openTestSession({ connection: database.url }, BILLING)
    await second.capture('t')
    const changes = await second.count(TRANSACTIONS)
    expect(new Set(changes.map(({ relation }) => relation)).size).toBe(1)
    await eventually(async () => (await kept()) === 0, 'nothing that is kept')
    expect(second.error()).toBe(null)
  })
})
