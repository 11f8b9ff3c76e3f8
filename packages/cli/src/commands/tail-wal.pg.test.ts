import { describePostgres } from '@rowtap/driver-testkit/vitest'
import { expect, test } from 'vitest'

import { RowtapProcess, runRowtap } from '../testing/rowtap-process.ts'

const IDENTITY = /^ALTER TABLE "public"."orders" REPLICA IDENTITY FULL;$/m
const STREAMING = /^START_REPLICATION .*streaming/m

const SETUP = `CREATE TABLE orders (id integer PRIMARY KEY, status text, total int)`

describePostgres('rowtap tail with the options of driver-wal', (postgres) => {
  test('--messages prints messages at their places among the changes', async () => {
    await using database = await postgres.createDatabase()
    await database.query(SETUP)
    const flags = ['--table', 'orders', '--messages', 'outbox,audit', '--json', '--limit', '4']
    await using rowtap = new RowtapProcess(['tail', '--url', database.url, ...flags])
    await rowtap.message(/^ready: public\.orders, messages \(wal\)$/m)
    await database.query(`BEGIN;
      INSERT INTO orders VALUES (1, 'new', 1);
      SELECT pg_logical_emit_message(true, 'outbox', 'first'), pg_logical_emit_message(true, 'other', 'no');
      INSERT INTO orders VALUES (2, 'new', 2);
      SELECT pg_logical_emit_message(true, 'audit', '\\xff00'::bytea);
      COMMIT`)
    const { exitCode, stdout } = await rowtap.ended
    const lines = stdout
      .trim()
      .split('\n')
      .map((line): unknown => JSON.parse(line))
    expect(exitCode).toBe(0)
    expect(lines).toMatchObject([
      { kind: 'insert', key: { id: 1 } },
      { kind: 'message', prefix: 'outbox', content: 'first', bytes: null, transactional: true },
      { kind: 'insert', key: { id: 2 } },
      { kind: 'message', prefix: 'audit', content: null, bytes: '\\xff00' },
    ])
  })

  test('--messages alone needs no table, and another driver refuses it', async () => {
    await using database = await postgres.createDatabase()
    await using rowtap = new RowtapProcess(['tail', '--url', database.url, '--messages', '--limit', '1'])
    await rowtap.message(/^ready: messages \(wal\)$/m)
    await database.query(`SELECT pg_logical_emit_message(true, 'note', 'hello')`)
    expect(await rowtap.ended).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(/ {2}message {3}note {6}hello\n$/),
    })
    const refused = await runRowtap(['tail', '--url', database.url, '--driver', 'trigger', '--messages'])
    expect(refused).toMatchObject({
      exitCode: 1,
      stderr: expect.stringMatching(/^rowtap: ERR_CAPABILITY_UNSUPPORTED: .*'messages'/),
    })
  })

  test('--replica-identity, --pushdown and --streaming are the options of the driver', async () => {
    await using database = await postgres.createDatabase()
    await database.query(SETUP)
    const plan = (...flags: readonly string[]): Promise<{ readonly stdout: string }> =>
      runRowtap(['tail', '--url', database.url, '--table', 'orders', '--plan', ...flags])
    expect((await plan('--replica-identity', 'full')).stdout).toMatch(IDENTITY)
    expect((await plan('--streaming')).stdout).toMatch(STREAMING)
    const { stdout } = await plan()
    expect(stdout).not.toMatch(STREAMING)
    expect(stdout).not.toMatch(IDENTITY)
    const pushed = await plan('--pushdown', 'inserts', '--on', 'insert', '--where', 'total = 1', '--columns', 'id')
    if (postgres.version >= 15) {
      expect(pushed.stdout).toMatch(/ADD TABLE ONLY "public"."orders" \("id", "total"\) WHERE \(/)
      expect(pushed.stdout).toMatch(/^ {4}condition +in the database: /m)
    } else {
      expect(pushed.stdout).toMatch(/from version 15 on/)
    }
  })
})
