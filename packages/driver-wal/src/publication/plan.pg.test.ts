import type { DriverSession, PlannedStatement } from '@rowtap/core/driver'
import { catalogueSnapshot } from '@rowtap/driver-testkit'
import { describePostgres } from '@rowtap/driver-testkit/vitest'
import pg from 'pg'
import { expect, test, vi } from 'vitest'
import { dropSubscription } from '../session/drop-subscription.ts'
import { testHost, testSession, wanted } from '../testing/test-session.ts'
import { walDriver } from '../wal-driver.ts'

/** What a plan leaves out: what only reads, and the settings of the driver's own sessions. */
const LEFT_OUT =
  /^\s*(WITH|IDENTIFY_SYSTEM|TIMELINE_HISTORY|SELECT(?!\s+(pg_advisory_|abandoned\.digits|pg_catalog\.lo_unlink)))/i

/** The statements that `pg` is told to run on the databases of others than the test's, with their parameters. */
async function executed(body: () => Promise<void>): Promise<readonly string[]> {
  const seen: string[] = []
  const spy = vi.spyOn(pg.Client.prototype, 'query')
  try {
    await body()
    for (const [query, values] of spy.mock.calls as unknown as readonly [unknown, (readonly unknown[])?][]) {
      const text = typeof query === 'string' ? query : String((query as { readonly text: unknown }).text)
      const filled = (values ?? []).reduce<string>((sql, value, index) => {
        return sql.replaceAll(`$${index + 1}`, `'${String(value)}'`)
      }, text)
      seen.push(...filled.split(';\n').map((one) => one.trim()))
    }
  } finally {
    spy.mockRestore()
  }
  // What closing keeps is no part of it.
  return seen.filter((text) => !LEFT_OUT.test(text) && !text.includes('"closed":"')).map(anyName)
}

/** Each client's names are its own, and so is what it keeps. */
function anyName(text: string): string {
  return text.replaceAll(/[0-9a-f]{16}/g, '…').replace(/ IS '\{"version".*'$/, ' IS :state')
}

function texts(statements: readonly PlannedStatement[]): readonly string[] {
  return statements.map(({ sql }) => anyName(sql))
}

describePostgres('a plan', (postgres) => {
  test('made to plan only holds what opening and capturing execute, and executes nothing', async () => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY)')
    // What a client that crashed has left.
    await database.query('CREATE PUBLICATION rowtap_e_0123456789abcdef_all')
    const requests = [wanted('a'), wanted('b', ['insert'])]
    const before = await catalogueSnapshot(database)

    let planned: readonly PlannedStatement[] = []
    const whilePlanning = await executed(async () => {
      const session = await walDriver({ connection: database.url }).open({ ...testHost(), planOnly: true })
      planned = await session.plan(requests)
      await session.close()
    })
    expect(whilePlanning).toEqual([])
    expect(await catalogueSnapshot(database)).toEqual(before)
    expect(planned.filter(({ table }) => table !== null)).toMatchObject([
      { sql: expect.stringContaining('ADD TABLE ONLY "public"."a"'), table: { schema: 'public', name: 'a' } },
      { sql: expect.stringContaining('ADD TABLE ONLY "public"."b"'), table: { schema: 'public', name: 'b' } },
    ])

    const really = await executed(async () => {
      await using client = await testSession({ connection: database.url })
      await client.session.capture(requests)
      // What closing runs is no part of it.
      expect(client.changes).toEqual([])
    })
    const opened = really.slice(0, texts(planned).length)
    expect(opened).toEqual(texts(planned))
    // The rest is what closing runs.
    expect(really.slice(opened.length).every((text) => text.startsWith('DROP PUBLICATION'))).toBe(true)
  })

  test('of a subscription holds what its first session executes, and what the next one does', async () => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE a (id int PRIMARY KEY)')
    const open = (planOnly: boolean): Promise<DriverSession> =>
      walDriver({ connection: database.url }).open({ ...testHost({ name: 'billing' }), planOnly })
    const plan = async (): Promise<readonly string[]> => {
      const session = await open(true)
      const planned = await session.plan([wanted('a')])
      await session.close()
      return texts(planned)
    }
    const capture = (): Promise<readonly string[]> =>
      executed(async () => {
        const session = await open(false)
        await session.capture([wanted('a')])
        await session.close()
      })
    const first = await plan()
    expect(first.filter((text) => /^(BEGIN|COMMIT|CREATE PUBLICATION)/.test(text))).toHaveLength(8)
    expect(first.filter((text) => text.includes('lo_unlink'))).toHaveLength(1)
    // The lock is asked for as long as it takes, and how far may be acknowledged is written down as often as it takes: neither
    // is a statement of a fixed number.
    const limit = /^COMMENT ON PUBLICATION "rowtap_s_billing_all" IS/
    const isFixed = (text: string): boolean => !text.includes('pg_try_advisory_lock') && !limit.test(text)
    for (const planned of [first, null]) {
      const expected = planned ?? (await plan())
      const really = await capture()
      expect(really.filter(isFixed)).toEqual(expected.filter(isFixed))
      for (const statements of [expected, really]) expect(statements.some((text) => limit.test(text))).toBe(true)
    }
    await dropSubscription({ connection: database.url }, 'billing')
  })

  test('names the publications that clients which are gone have left, and no others', async () => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE a (id int PRIMARY KEY)')
    await database.query(
      'CREATE PUBLICATION rowtap_e_0123456789abcdef_all; CREATE PUBLICATION rowtap_e_fedcba9876543210_inserts; CREATE PUBLICATION rowtap_e_mine_all',
    )
    await using living = await testSession({ connection: database.url })
    expect(living.changes).toEqual([])
    await database.query('CREATE PUBLICATION rowtap_e_0000000000000001_all')
    const session = await walDriver({ connection: database.url }).open({ ...testHost(), planOnly: true })
    const planned = await session.plan([wanted('a')])
    await session.close()
    // Those of before were removed by the client that lives.
    expect(planned.map(({ sql }) => sql).filter((sql) => sql.startsWith('DROP') || sql.includes('unlock'))).toEqual([
      'DROP PUBLICATION IF EXISTS "rowtap_e_0000000000000001_all", "rowtap_e_0000000000000001_inserts"',
      `SELECT pg_advisory_unlock(('x' || '0000000000000001')::bit(64)::int8)`,
    ])
    const left = await database.query(`SELECT pubname FROM pg_publication ORDER BY 1`)
    expect(left.map((row) => row['pubname'])).toContain('rowtap_e_mine_all')
    expect(left).toHaveLength(4)
  })

  test('of a running session holds what the next capture executes: additions, more operations, removals', async () => {
    await using database = await postgres.createDatabase()
    await database.query(
      'CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY); CREATE TABLE c (id int PRIMARY KEY)',
    )
    await using client = await testSession({ connection: database.url })
    for (const requests of [
      [wanted('a'), wanted('b', ['insert'])],
      [wanted('b'), wanted('c')],
      [wanted('b'), wanted('c', ['insert'])],
      [],
    ]) {
      const planned = await client.session.plan(requests)
      const really = await executed(async () => {
        await client.session.capture(requests)
      })
      expect(really).toEqual(texts(planned))
      expect(await client.session.plan(requests)).toEqual([])
    }
  })
})
