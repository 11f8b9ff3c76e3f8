import type { CaptureRequest, Operation } from '@rowtap/core/driver'
import type { TestDatabase } from '@rowtap/driver-testkit'
import { eventually, tcpProxy } from '@rowtap/driver-testkit'
import { describePostgres } from '@rowtap/driver-testkit/vitest'
import { expect, test } from 'vitest'
import type { TestSession } from '../testing/open-test-session.ts'
import { describeChange, openTestSession } from '../testing/open-test-session.ts'

const T = 'CREATE TABLE t (id int PRIMARY KEY, a text, b text)'
const ALL: readonly Operation[] = ['insert', 'update', 'delete', 'truncate']

interface Wish {
  readonly columns?: readonly string[]
  readonly operations?: readonly Operation[]
  /** Conditions on `id`. */
  readonly where?: readonly string[]
}

function request({ columns, operations = ALL, where }: Wish): CaptureRequest {
  return {
    table: { schema: 'public', name: 't' },
    operations: new Set(operations),
    columns: columns === undefined ? null : new Set(columns),
    comparedEnums: new Set(),
    where: where?.map((sql) => ({ tree: { kind: 'null', column: 'id', negated: false }, sql })) ?? null,
  }
}

/** A session of the subscription, or, without a name, an ephemeral one. */
function open(database: TestDatabase, name: string | null = 'billing'): Promise<TestSession> {
  const subscription = name === null ? null : ({ name, wait: true, onPositionLost: 'stop' } as const)
  return openTestSession({ connection: database.url, pushdown: 'conditions' }, subscription)
}

const texts = ({ changes }: TestSession): readonly string[] => changes.map(describeChange)

describePostgres('a subscription that leaves out what its listeners do not want', (postgres) => {
  test('is captured for while its process is away, whatever others want, and comes back to just that', async () => {
    await using database = await postgres.createDatabase()
    await database.query(T)
    const first = await open(database)
    const wish = {
      columns: ['id', 'a'],
      operations: ['insert', 'delete'],
      where: [`("id" < 3)`, `("id" = 5)`],
    } as const
    await first.session.capture([request(wish)])
    await first.close()
    const passing = await open(database, null)
    await passing.session.capture([request({ columns: ['id', 'b'], where: [`("id" = 1)`] })])
    await database.query(`INSERT INTO t SELECT i, 'a', 'b' FROM generate_series(1, 9) i`)
    await passing.close()
    await using narrow = await open(database, null)
    await narrow.session.capture([request({ columns: ['id'], operations: ['delete'], where: [`("id" = 9)`] })])
    await database.query(`DELETE FROM t`)

    await using next = await open(database)
    const [resumed] = next.session.resumed ?? []
    expect(resumed).toMatchObject({
      operations: new Set(['insert', 'delete', 'truncate']),
      columns: new Set(['id', 'a']),
      where: [{ tree: { kind: 'constant' }, sql: `(("id" < 3)) or (("id" = 5))` }],
    })
    await next.count(7)
    expect(texts(next)).toEqual([
      ...['1', '2', '5'].map((id) => `insert t new=(${id},a,b)`),
      ...['1', '2', '5', '9'].map((id) => `delete t old=(${id},a,NULL)`),
    ])
    if (resumed === undefined) throw new Error('nothing was resumed')
    // What is captured does not change, however often it is asked for.
    await next.session.capture([resumed])
    const parts = async (): Promise<unknown> =>
      await database.query(
        `SELECT pg_get_functiondef(oid) AS f FROM pg_proc WHERE pronamespace = 'rowtap'::regnamespace AND proname LIKE 'capture %'`,
      )
    const before = await parts()
    await next.session.capture([resumed])
    await next.session.capture([request({ ...wish, where: [...wish.where].toReversed() })])
    expect(await parts()).toEqual(before)
    expect(next.notices).toEqual([])
  })

  test('says what it has not captured of what a listener wants now', async () => {
    await using database = await postgres.createDatabase()
    await database.query(T)
    const first = await open(database)
    await first.session.capture([request({ columns: ['id', 'a'], where: [`("id" < 3)`] })])
    await first.close()
    await using next = await open(database)
    const [resumed] = next.session.resumed ?? []
    if (resumed === undefined) throw new Error('nothing was resumed')
    const lacking = async (wish: Wish): Promise<string | null> => {
      const wanted = request(wish)
      await next.session.capture([resumed, wanted].slice(1))
      return resumed.lacking?.(wanted) ?? null
    }
    expect(await lacking({ columns: ['id'], where: [`("id" < 3)`] })).toBeNull()
    expect(await lacking({ columns: ['id'], where: [`("id" < 4)`] })).toBe('rows that no condition was true of then')
    expect(await lacking({ columns: ['id'] })).toBe('rows that no condition was true of then')
    expect(await lacking({ columns: ['id', 'b'], where: [`("id" < 3)`] })).toBe('the value of "b"')
    expect(await lacking({})).toBe('rows that no condition was true of then and the value of "b"')
    // Another column has the name now.
    await database.query('ALTER TABLE t RENAME a TO c; ALTER TABLE t RENAME b TO a')
    expect(await lacking({ columns: ['id', 'a'], where: [`("id" < 3)`] })).toBe('the value of "a"')
  })

  test('wants everything of a table whose columns are not what they were', async () => {
    await using database = await postgres.createDatabase()
    await database.query(T)
    const first = await open(database)
    await first.session.capture([request({ columns: ['id', 'a'], where: [`("id" < 3)`] })])
    await first.close()
    await database.query('ALTER TABLE t ALTER id TYPE text')
    // While it is away another one comes, and the function is made for the table as it is.
    await using other = await open(database, null)
    await other.session.capture([request({ columns: ['id'], operations: ['insert'], where: [`("id" = 'x')`] })])
    await database.query(`INSERT INTO t VALUES ('x', 'a', 'b'), ('y', 'a', 'b')`)
    await using next = await open(database)
    await next.count(2)
    expect(texts(next)).toEqual(['insert t new=(x,a,b)', 'insert t new=(y,a,b)'])
  })

  test('whose process ended while it waited to capture more says that it is in doubt', async () => {
    await using database = await postgres.createDatabase()
    await database.query(T)
    const first = await open(database)
    await first.session.capture([request({ columns: ['id'], where: [`("id" < 3)`] })])
    const writer = await database.connect()
    await writer.query(`BEGIN; INSERT INTO t VALUES (10, 'a', 'b')`)
    const widened = first.session.capture([request({ columns: ['id'], where: [`("id" < 30)`] })])
    const refused = widened.catch((error: unknown) => error)
    await eventually(() => first.notices.some(({ kind }) => kind === 'wait'), 'the notice')
    await first.close()
    expect(await refused).toMatchObject({ code: 'ERR_CLOSED' })
    const next = await open(database)
    const [resumed] = next.session.resumed ?? []
    const again = request({ columns: ['id'], where: [`("id" < 30)`] })
    const waiting = next.session.capture([again])
    await eventually(() => next.notices.some(({ kind }) => kind === 'wait'), 'the next one waits, too')
    await writer.query('COMMIT')
    await waiting
    expect(resumed?.lacking?.(again)).toMatch(/^what was not wanted before/)
    await database.query(`INSERT INTO t VALUES (11, 'a', 'b')`)
    await next.count(1)
    expect(texts(next)).toEqual(['insert t new=(11,NULL,NULL)'])
    await next.close()
    // Since then it is known.
    await using last = await open(database)
    const [kept] = last.session.resumed ?? []
    await last.session.capture([again])
    expect(kept?.lacking?.(again)).toBeNull()
  })

  test('that another process had meanwhile, which wanted less, tells of it and is captured for again', async () => {
    await using database = await postgres.createDatabase()
    await database.query(T)
    await using proxy = await tcpProxy(database.url)
    await using first = await openTestSession(
      { connection: proxy.url, pushdown: 'conditions', reconnect: { minDelayMs: 10, maxDelayMs: 50 } },
      { name: 'billing', wait: true, onPositionLost: 'stop' },
    )
    await first.session.capture([request({ columns: ['id'], where: [`("id" < 30)`] })])
    // Nobody listens there.
    proxy.leadTo('postgresql://127.0.0.1:1')
    proxy.cut()
    const other = await open(database)
    await other.session.capture([request({ columns: ['id'], where: [`("id" < 3)`] })])
    await database.query(`INSERT INTO t VALUES (1, 'a', 'b'), (10, 'a', 'b')`)
    await other.close()
    proxy.leadTo(database.url)
    await eventually(() => first.notices.some(({ kind }) => kind === 'gap'), 'the gap')
    expect(first.notices.filter(({ kind }) => kind === 'gap')).toMatchObject([
      { reason: expect.stringContaining('Another process had the subscription, and captured less') },
    ])
    await database.query(`INSERT INTO t VALUES (11, 'a', 'b')`)
    await eventually(() => texts(first).includes('insert t new=(11,NULL,NULL)'), 'what is wanted')
    expect(texts(first)).not.toContain('insert t new=(10,NULL,NULL)')
  })
})
