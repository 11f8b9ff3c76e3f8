import type { CaptureRequest, Operation } from '@rowtap/core/driver'
import type { TestDatabase } from '@rowtap/driver-testkit'
import { eventually } from '@rowtap/driver-testkit'
import { describePostgres } from '@rowtap/driver-testkit/vitest'
import { expect, test } from 'vitest'
import { inspectTrigger } from '../health/inspect-trigger.ts'
import type { TestSession } from '../testing/open-test-session.ts'
import { describeChange, openTestSession } from '../testing/open-test-session.ts'

function listen({ session }: TestSession, ...operations: readonly Operation[]): Promise<unknown> {
  const request: CaptureRequest = {
    table: { schema: 'public', name: 't' },
    operations: new Set(operations),
    columns: null,
    comparedEnums: new Set(),
    where: null,
  }
  return session.capture([request])
}

function open(database: TestDatabase): Promise<TestSession> {
  return openTestSession({ connection: database.url, pushdown: 'conditions', leaseMs: 1000 })
}

/** The triggers on the table, by name. */
async function triggers(database: TestDatabase): Promise<readonly unknown[]> {
  const rows = await database.query(`SELECT tgname FROM pg_trigger WHERE tgrelid = 't'::regclass ORDER BY tgname`)
  return rows.map(({ tgname }) => tgname)
}

const T = 'CREATE TABLE t (id int PRIMARY KEY)'
const EVERYTHING = 'INSERT INTO t VALUES (1), (2); UPDATE t SET id = id + 10; DELETE FROM t WHERE id = 11'

describePostgres('a trigger whose listeners want some operations', (postgres) => {
  test('is not made for the others, until somebody wants them, and then captures them no longer than that', async () => {
    await using database = await postgres.createDatabase()
    await database.query(T)
    await using session = await open(database)
    session.holdBack()
    await listen(session, 'delete')
    expect(await triggers(database)).toEqual(['!rowtap delete', '!rowtap truncate'])
    await database.query(EVERYTHING)
    await session.count(1)
    await listen(session, 'delete', 'insert')
    expect(await triggers(database)).toEqual(['!rowtap delete', '!rowtap insert', '!rowtap truncate'])
    await database.query(EVERYTHING.replace('(1), (2)', '(3), (4)').replace('id + 10', 'id + 20'))
    await session.count(3)
    await listen(session, 'insert')
    await database.query('INSERT INTO t VALUES (5); UPDATE t SET id = id + 30; DELETE FROM t')
    await listen(session, 'truncate')
    await database.query('INSERT INTO t VALUES (6); TRUNCATE t')
    await session.count(5)
    expect(session.changes.map(describeChange)).toEqual([
      'delete t old=(11)',
      'insert t new=(3)',
      'insert t new=(4)',
      'insert t new=(5)',
      'truncate t',
    ])
    const queued = await database.query(`SELECT string_agg(operation::text, '' ORDER BY seq) AS all FROM rowtap.queue`)
    expect(queued).toEqual([{ all: 'DIIT' }])
  })

  test('whose triggers are there for what is wanted lacks nothing, and otherwise is told of as lost', async () => {
    await using database = await postgres.createDatabase()
    await database.query(T)
    await using session = await open(database)
    await listen(session, 'insert')
    const faults = async (): Promise<unknown> => {
      const health = await inspectTrigger({ connection: database.url })
      return health.installations[0]?.content?.captured.map((table) => table.faults.map(({ changes }) => changes))
    }
    expect(await faults()).toEqual([[]])
    // Another one, with a lease that is renewed, and triggers that are looked at, often.
    await using other = await open(database)
    await listen(other, 'update')
    await listen(session, 'insert')
    expect(await faults()).toEqual([[]])
    expect([...session.notices, ...other.notices]).toEqual([])
    await database.query('DROP TRIGGER "!rowtap update" ON t')
    expect(await faults()).toEqual([['updates']])
    await eventually(() => other.notices.length > 0, 'the notice')
    expect(other.notices).toMatchObject([{ kind: 'gap', reason: expect.stringContaining('has lost its triggers') }])
    expect(session.notices).toEqual([])
  })

  test('are all made for a client that leaves nothing out', async () => {
    await using database = await postgres.createDatabase()
    await database.query(T)
    await using narrow = await open(database)
    await listen(narrow, 'insert')
    await using whole = await openTestSession({ connection: database.url })
    await whole.capture('t')
    await database.query(EVERYTHING)
    await whole.count(5)
    expect(whole.changes.map(({ kind }) => kind)).toEqual(['insert', 'insert', 'update', 'update', 'delete'])
    expect(await triggers(database)).toHaveLength(4)
  })
})
