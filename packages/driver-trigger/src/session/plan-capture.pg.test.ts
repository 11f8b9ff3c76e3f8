import type { PlannedStatement } from '@rowtap/core/driver'
import { inlineParameters } from '@rowtap/core/driver'
import { catalogueSnapshot } from '@rowtap/driver-testkit'
import { describePostgres } from '@rowtap/driver-testkit/vitest'
import { AsyncLocalStorage } from 'node:async_hooks'
import pg from 'pg'
import { expect, test, vi } from 'vitest'
import { openTestSession } from '../testing/open-test-session.ts'
import { triggerDriver } from '../trigger-driver.ts'

/** What a plan leaves out: what only reads, the settings of the driver's own sessions, and what reading the queue does beside it. */
const LEFT_OUT =
  /^(select "\w+"\.instruct\(null, null, true\)$|select(?!\s+(pg_catalog\.pg_advisory|"\w+"\.instruct|pg_catalog\.pg_notify|"\w+"\.settle_shape))|with look|set session|set enable_)/i

/** Tells what the body of {@link executed} runs from what an open session does now and then beside it. */
const recorded = new AsyncLocalStorage<true>()

/** The statements that `pg` is told to run by the body, with their parameters as literals. */
async function executed(body: () => Promise<void>): Promise<readonly string[]> {
  const calls: (readonly [unknown, (readonly string[])?])[] = []
  const client: { query: (...call: readonly unknown[]) => unknown } = pg.Client.prototype
  const original = client.query
  const spy = vi.spyOn(client, 'query').mockImplementation(function query(this: unknown, ...call) {
    if (recorded.getStore() === true) calls.push(call as unknown as readonly [unknown, (readonly string[])?])
    return Reflect.apply(original, this, call)
  })
  try {
    await recorded.run(true, body)
    const texts = calls.map(([query, values = []]) => {
      if (typeof query === 'string') return inlineParameters(query, values).trim()
      const named = query as { readonly text: string; readonly values?: readonly string[] }
      return inlineParameters(named.text, named.values ?? []).trim()
    })
    return texts.filter((text) => !LEFT_OUT.test(text)).map(anyConsumer)
  } finally {
    spy.mockRestore()
  }
}

/** The number of a consumer that is not registered yet is not known. */
function anyConsumer(text: string): string {
  return text.replaceAll(/(?:'\d+'|:consumer)::bigint/g, '…::bigint')
}

function texts(statements: readonly PlannedStatement[]): readonly string[] {
  return statements.map(({ sql }) => anyConsumer(sql))
}

function request(name: string): {
  readonly table: { schema: string; name: string }
  operations: Set<'insert'>
  columns: null
  comparedEnums: Set<string>
} {
  return { table: { schema: 'public', name }, operations: new Set(['insert']), columns: null, comparedEnums: new Set() }
}

const TABLES = `
  CREATE TABLE a (id int PRIMARY KEY);
  CREATE TABLE b (id int PRIMARY KEY) PARTITION BY RANGE (id);
  CREATE TABLE b1 PARTITION OF b FOR VALUES FROM (0) TO (10)`

describePostgres('a plan', (postgres) => {
  test('of the first capture holds what it executes, the installation included, and executes nothing', async () => {
    await using database = await postgres.createDatabase()
    await database.query(TABLES)
    const before = await catalogueSnapshot(database)
    let planned: readonly PlannedStatement[] = []
    const whilePlanning = await executed(async () => {
      await using client = await openTestSession({ connection: database.url })
      planned = await client.session.plan([request('a'), request('b')])
    })
    expect(whilePlanning).toEqual([])
    expect(await catalogueSnapshot(database)).toEqual(before)

    await using client = await openTestSession({ connection: database.url })
    const really = await executed(async () => {
      await client.capture('a', 'b')
    })
    expect(really).toEqual(texts(planned))
    expect(await client.session.plan([request('a'), request('b')])).toEqual([])
  })

  test('of a running session, and beside another one, holds what the next capture executes', async () => {
    await using database = await postgres.createDatabase()
    await database.query(TABLES)
    await using other = await openTestSession({ connection: database.url })
    await other.capture('b')
    await using client = await openTestSession({ connection: database.url })
    for (const names of [['a'], ['a', 'b']]) {
      const planned = await client.session.plan(names.map(request))
      expect(await executed(async () => void (await client.capture(...names)))).toEqual(texts(planned))
    }
    // The other client still wants the one, so that nothing is dropped; nobody wants the other any more.
    for (const [names, drops] of [
      [['a'], 0],
      [[], 4],
    ] as const) {
      const planned = await client.session.plan(names.map(request))
      expect(planned.filter(({ sql }) => sql.startsWith('drop trigger'))).toHaveLength(drops)
      expect(await executed(async () => void (await client.capture(...names)))).toEqual(texts(planned))
    }
  })

  test('shows the triggers of partitions that were made meanwhile, and that are created with the next table’s', async () => {
    await using database = await postgres.createDatabase()
    await database.query(TABLES)
    await using client = await openTestSession({ connection: database.url })
    await client.capture('b')
    await database.query('CREATE TABLE b2 PARTITION OF b FOR VALUES FROM (10) TO (20)')
    const planned = await client.session.plan(['a', 'b'].map(request))
    const onPartition = planned.filter(({ sql }) => /^create trigger .*"b2"/su.test(sql))
    expect(onPartition).toMatchObject([{ table: { schema: 'public', name: 'b' } }])
    expect(await executed(async () => void (await client.capture('a', 'b')))).toEqual(texts(planned))
  })

  test('names the table of each statement, and what it is for', async () => {
    await using database = await postgres.createDatabase()
    await database.query(TABLES)
    const session = await triggerDriver({ connection: database.url }).open({
      subscription: null,
      signal: new AbortController().signal,
      planOnly: true,
      messages: false,
      notify: () => {},
    })
    const planned = await session.plan([request('a')])
    await session.close()
    expect(planned.filter(({ sql }) => sql.startsWith('create trigger'))).toMatchObject([
      { table: { schema: 'public', name: 'a' }, purpose: expect.stringMatching(/^Writes .*\.$/) },
      { table: { schema: 'public', name: 'a' }, purpose: expect.stringMatching(/^Writes .*\.$/) },
      { table: { schema: 'public', name: 'a' }, purpose: expect.stringMatching(/^Writes .*\.$/) },
      { table: { schema: 'public', name: 'a' }, purpose: expect.stringMatching(/^Writes .*\.$/) },
    ])
    expect(planned.every(({ purpose }) => /^[A-Z].*\.$/.test(purpose))).toBe(true)
  })

  test('of tables whose rows come to be wanted, or no longer are, holds what is executed', async () => {
    await using database = await postgres.createDatabase()
    await database.query(TABLES)
    await using client = await openTestSession({ connection: database.url })
    const without = ['a', 'b'].map((name) => ({ ...request(name), rows: false as const }))
    for (const requests of [without, ['a', 'b'].map(request), without]) {
      const planned = await client.session.plan(requests)
      const run = await executed(async () => void (await client.session.capture(requests)))
      expect(run).toEqual(texts(planned))
      expect(run).not.toEqual([])
    }
  })

  test('of a table that others want, too, holds what is executed for all of them', async () => {
    await using database = await postgres.createDatabase()
    await database.query(TABLES)
    const options = { connection: database.url, pushdown: 'conditions' } as const
    await using other = await openTestSession(options)
    await other.session.capture([{ ...request('a'), operations: new Set(['delete']) }])
    await using client = await openTestSession(options)
    await client.capture('b')
    const both = ['a', 'b'].map(request)
    const planned = await client.session.plan(both)
    expect(await executed(async () => void (await client.session.capture(both)))).toEqual(texts(planned))
  })
})
