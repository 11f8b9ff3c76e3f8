import { EventEmitter } from 'node:events'

import type { PostgresVersion, TestDatabase } from '@rowtap/driver-testkit'
import { catalogueSnapshot, POSTGRES_VERSIONS, startPostgres } from '@rowtap/driver-testkit'
import { describePostgres } from '@rowtap/driver-testkit/vitest'
import { expect, test } from 'vitest'

import pc from 'picocolors'

import type { Check } from '../doctor/check.ts'
import { LineOutput } from '../terminal/line-output.ts'
import type { Surroundings } from '../terminal/surroundings.ts'
import { doctor } from './doctor.ts'
import type { RowtapResult } from '../testing/rowtap-process.ts'
import { RowtapProcess, runRowtap } from '../testing/rowtap-process.ts'

interface Found {
  readonly exitCode: number | null
  readonly checks: readonly Check[]
  readonly result: RowtapResult
}

/** What `rowtap doctor --json` finds. */
async function findings(url: string, ...flags: readonly string[]): Promise<Found> {
  const result = await runRowtap(['doctor', '--url', url, '--json', ...flags])
  // What is printed with --json is what is tested here.
  const { checks } = JSON.parse(result.stdout) as { checks: readonly Check[] }
  return { exitCode: result.exitCode, checks, result }
}

/** Those that are about something of this test's own: other tests use the same server. */
function about(checks: readonly Check[], subject: RegExp): readonly Check[] {
  return checks.filter((check) => subject.test(check.subject))
}

async function createSlot(database: TestDatabase, subscription: string): Promise<string> {
  const [row] = await database.query(
    `SELECT slot_name FROM pg_create_logical_replication_slot(
       (SELECT 'rowtap_s_' || oid || '_${subscription}' FROM pg_database WHERE datname = current_database()), 'pgoutput')`,
  )
  await database.query(
    `CREATE PUBLICATION rowtap_s_${subscription}_all; CREATE PUBLICATION rowtap_s_${subscription}_inserts`,
  )
  return String(row?.['slot_name'])
}

function supported(version: number): PostgresVersion {
  const known = POSTGRES_VERSIONS.find((one) => one === version)
  if (known === undefined) throw new RangeError(`version ${version}`)
  return known
}

describePostgres('rowtap doctor', (postgres) => {
  test('finds nothing wrong where nothing is, and changes nothing', async () => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE orders (id int PRIMARY KEY); ALTER TABLE orders REPLICA IDENTITY FULL')
    const before = await catalogueSnapshot(database)
    const { exitCode, stdout, stderr } = await runRowtap(['doctor', '--url', database.url, '--table', 'orders'])
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
    expect(stdout).toMatch(/^wal\n {2}ok {7}server: PostgreSQL \d+\.\d+ is supported\.$/m)
    expect(stdout).toMatch(/^ {2}ok {7}table public\.orders: Old rows are known as a whole/m)
    expect(stdout).toMatch(/^ {2}warning {2}server: max_slot_wal_keep_size sets no limit/m)
    expect(stdout).toMatch(/^ {13}ALTER SYSTEM SET max_slot_wal_keep_size = '10GB';$/m)
    expect(stdout).toMatch(/^ {2}unseen {3}How much room the server’s disk has left/m)
    expect(stdout).toMatch(/^trigger\n/m)
    expect(stdout).toMatch(/^0 problems, \d+ warnings?\n$/m)
    expect(await catalogueSnapshot(database)).toEqual(before)
  })

  test('says what a role lacks, with statements that help, and ends with 1', async () => {
    await using database = await postgres.createDatabase()
    const role = await database.createRole()
    await database.query('CREATE SCHEMA closed; CREATE TABLE closed.orders (id int PRIMARY KEY)')
    const lacking = await findings(role.url, '--table', 'closed.orders')
    expect(lacking.exitCode).toBe(1)
    expect(lacking.result.stderr).toMatch(/^rowtap: 6 problems, \d+ warnings?\n$/)
    const problems = lacking.checks.filter(({ level }) => level === 'problem')
    expect(problems.map(({ driver, subject }) => [driver, subject])).toEqual([
      ['wal', `role ${role.name}`],
      ['wal', `role ${role.name}`],
      ['wal', 'table closed.orders'],
      ['wal', 'table closed.orders'],
      ['trigger', `role ${role.name}`],
      ['trigger', 'table closed.orders'],
    ])
    for (const statement of problems.flatMap(({ statements }) => statements)) await database.query(statement)
    const helped = await findings(role.url, '--table', 'closed.orders')
    expect(helped.checks.filter(({ level }) => level === 'problem')).toEqual([])
    expect(helped.exitCode).toBe(0)
  })

  test.each([
    ['a terminal, where the next line says it', true, 0],
    ['a pipe', false, 1],
  ])('says how much is wrong once: %s', async (_, isTerminal, count) => {
    await using database = await postgres.createDatabase()
    const options = { url: database.url, driver: 'wal', json: false } as const
    const printed: string[] = []
    const stream = Object.assign(new EventEmitter(), {
      write(text: string): boolean {
        printed.push(text)
        return true
      },
    })
    const output = new LineOutput(stream)
    const around: Surroundings = {
      environment: {},
      output,
      messages: output,
      isTerminal,
      columns: () => 80,
      colors: pc.createColors(false),
      ask: null,
      interrupted: new AbortController().signal,
    }
    const tables = [{ schema: 'public', name: 'missing' }]
    await expect(doctor({ ...options, tables }, around)).rejects.toThrow(/^1 problem, \d+ warnings?$/)
    expect(printed.join('').match(/1 problem, /g) ?? []).toHaveLength(count)
  })

  test('looks at one driver only where it is told so', async () => {
    await using database = await postgres.createDatabase()
    for (const driver of ['wal', 'trigger']) {
      const { checks } = await findings(database.url, '--driver', driver)
      expect(new Set(checks.map((check) => check.driver))).toEqual(new Set([driver]))
    }
  })

  test('tells of tables what a driver would refuse, and what their events will lack', async () => {
    await using database = await postgres.createDatabase()
    await database.query(`
      CREATE TABLE keyed (id int PRIMARY KEY);
      ALTER TABLE keyed ENABLE ROW LEVEL SECURITY;
      CREATE TABLE bare (id int);
      CREATE UNLOGGED TABLE fleeting (id int PRIMARY KEY);
      CREATE TABLE parted (id int PRIMARY KEY) PARTITION BY RANGE (id);
      CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (10);
      CREATE VIEW seen AS SELECT 1 AS one;
    `)
    const names = ['keyed', 'bare', 'fleeting', 'parted', 'parted_1', 'seen', 'keyd']
    const { checks } = await findings(database.url, ...names.flatMap((name) => ['--table', name]))
    const of = (name: string, driver: string): readonly string[] =>
      about(checks, new RegExp(`^table public\\.${name}$`))
        .filter((check) => check.driver === driver && check.level !== 'ok')
        .map(({ level, sentence }) => `${level}: ${sentence}`)
    expect(of('keyed', 'wal')).toEqual([
      expect.stringContaining('warning: Of old rows only the key is known'),
      expect.stringContaining('warning: It has row-level security'),
    ])
    expect(of('keyed', 'trigger')).toEqual([expect.stringContaining('warning: It has row-level security')])
    expect(of('bare', 'wal')).toEqual([
      expect.stringContaining('problem: Without a replica identity'),
      expect.stringContaining('warning: It has no primary key: the key of its events is every column'),
    ])
    expect(of('fleeting', 'wal')).toEqual([expect.stringContaining('problem: Its changes are not in the log')])
    expect(of('parted', 'wal')).toEqual([expect.stringContaining('warning: Of old rows only the key is known')])
    expect(of('parted_1', 'wal')[0]).toContain('It is a partition of public.parted')
    expect(of('parted_1', 'trigger')).toEqual([expect.stringContaining('problem: public.parted_1 is a partition')])
    expect(of('seen', 'wal')).toEqual(['problem: It is a view: only tables can be captured.'])
    expect(of('keyd', 'wal')).toEqual([expect.stringContaining('Did you mean public.keyed?')])

    const mending = about(checks, /^table public\.(bare|fleeting)$/).flatMap(({ statements }) => statements)
    for (const statement of mending) await database.query(statement)
    const mended = await findings(database.url, '--table', 'bare', '--table', 'fleeting')
    expect(mended.checks.filter(({ level }) => level === 'problem')).toEqual([])
  })

  test('warns of a subscription that nobody reads, with statements that remove it', async () => {
    await using database = await postgres.createDatabase()
    const before = await catalogueSnapshot(database)
    const slot = await createSlot(database, 'billing')
    await database.query(`SELECT pg_logical_emit_message(true, 'noise', repeat('x', 3000000))`)
    const { checks, exitCode } = await findings(database.url, '--driver', 'wal')
    expect(exitCode).toBe(0)
    const [check, ...others] = about(checks, new RegExp(`^slot ${slot}$`))
    expect(others).toEqual([])
    expect(check?.level).toBe('warning')
    expect(check?.sentence).toMatch(
      /^Subscription billing is read by nobody.*; \d+(?:\.\d)? MB are not acknowledged, and the server keeps \d.* without a limit\./,
    )
    for (const statement of check?.statements ?? []) await database.query(statement)
    expect(await catalogueSnapshot(database)).toEqual(before)
  })

  test('says of a subscription that it cannot go on, where somebody moved its slot or dropped a publication', async () => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE orders (id int PRIMARY KEY)')
    await using tail = new RowtapProcess([
      'tail',
      '--url',
      database.url,
      '--table',
      'orders',
      '--subscription',
      'billing',
    ])
    await tail.ready()
    tail.kill('SIGINT')
    await tail.ended
    const problems = async (): Promise<readonly string[]> => {
      const { checks } = await findings(database.url, '--driver', 'wal')
      return about(checks, /billing$/).flatMap(({ level, sentence }) => (level === 'problem' ? [sentence] : []))
    }
    expect(await problems()).toEqual([])
    await database.query('INSERT INTO orders VALUES (1)')
    await database.query(
      `SELECT pg_replication_slot_advance(slot_name, pg_current_wal_lsn()) FROM pg_replication_slots WHERE database = current_database()`,
    )
    expect(await problems()).toEqual([expect.stringContaining('cannot go on: somebody moved its slot on')])
    await database.query('DROP PUBLICATION rowtap_s_billing_inserts')
    expect(await problems()).toEqual([expect.stringContaining('Of its two publications one is gone')])
  })

  test('says of a subscription whose slot somebody dropped that it cannot go on, with one statement a line', async () => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE orders (id int PRIMARY KEY); INSERT INTO orders VALUES (1)')
    const before = await catalogueSnapshot(database)
    const tailing = ['tail', '--url', database.url, '--table', 'orders', '--subscription', 'billing', '--snapshot']
    await using tail = new RowtapProcess(tailing)
    await tail.ready()
    tail.kill('SIGINT')
    await tail.ended
    await database.query(
      `SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE database = current_database()`,
    )
    const { checks, exitCode } = await findings(database.url, '--driver', 'wal')
    expect(exitCode).toBe(1)
    const [check, ...others] = about(checks, /^subscription billing$/)
    expect(others).toEqual([])
    expect(check).toMatchObject({ level: 'problem', sentence: expect.stringContaining('cannot go on: its slot') })
    expect(check?.statements.map((statement) => statement.replace(/\d+/u, 'N'))).toEqual([
      'SELECT pg_catalog.lo_unlink(N)',
      'DROP PUBLICATION IF EXISTS "rowtap_s_billing_all"',
      'DROP PUBLICATION IF EXISTS "rowtap_s_billing_inserts"',
    ])
    // It is as it says.
    expect((await runRowtap(tailing)).stderr).toContain('its replication slot was dropped')
    for (const statement of check?.statements ?? []) await database.query(statement)
    expect(await catalogueSnapshot(database)).toEqual(before)
  })

  test('says of what is left over that it is, with statements that remove it', async () => {
    await using database = await postgres.createDatabase()
    const before = await catalogueSnapshot(database)
    await database.query(`CREATE PUBLICATION rowtap_s_copied_all; CREATE PUBLICATION rowtap_e_00000000000000aa_all`)
    await database.query(`DO $$ DECLARE made oid := lo_create(0); BEGIN
      EXECUTE format('COMMENT ON LARGE OBJECT %s IS %L', made, 'rowtap: how far the snapshots are of rowtap_s_gone_all'); END $$`)
    const { checks } = await findings(database.url, '--driver', 'wal')
    const left = about(checks, /^(subscription|client) /)
    expect(left.map(({ level, subject }) => [level, subject])).toEqual([
      ['warning', 'client 00000000000000aa'],
      ['warning', 'subscription copied'],
      ['warning', 'subscription gone'],
    ])
    for (const statement of left.flatMap(({ statements }) => statements)) await database.query(statement)
    expect(await catalogueSnapshot(database)).toEqual(before)
    expect(await database.query('SELECT FROM pg_largeobject_metadata')).toEqual([])
  })

  test('sees that a publication keeps a table from being written to', async () => {
    await using database = await postgres.createDatabase()
    await database.query(`CREATE TABLE bare (id int); INSERT INTO bare VALUES (1)`)
    await createSlot(database, 'billing')
    await database.query('ALTER PUBLICATION rowtap_s_billing_all ADD TABLE bare')
    await expect(database.query('UPDATE bare SET id = 2')).rejects.toThrow('replica identity')
    const { checks, exitCode } = await findings(database.url, '--driver', 'wal')
    expect(exitCode).toBe(1)
    const [harm] = about(checks, /^table public\.bare$/)
    expect(harm?.sentence).toContain('PostgreSQL refuses its updates and deletes now')
    for (const statement of harm?.statements ?? []) await database.query(statement)
    await database.query('UPDATE bare SET id = 2')
  })

  test.each(['wal', 'trigger'])('calls what %s captures at this moment all right', async (driver) => {
    await using database = await postgres.createDatabase()
    await database.query('CREATE TABLE orders (id int PRIMARY KEY)')
    await using tail = new RowtapProcess(['tail', '--url', database.url, '--driver', driver, '--table', 'orders'])
    await tail.ready()
    const { checks, exitCode } = await findings(database.url, '--driver', driver)
    expect(exitCode).toBe(0)
    const found = about(checks, /^(queue rowtap|slot rowtap_e_.*)$/).filter(
      ({ sentence }) => !sentence.includes('of database'),
    )
    expect(found.map(({ level }) => level)).toEqual(driver === 'wal' ? ['ok'] : ['ok', 'ok'])
    expect(found.at(-1)?.sentence).toMatch(/server process \d+/)
    if (driver === 'wal') return
    await database.query('ALTER TABLE orders DISABLE TRIGGER ALL')
    const disabled = await findings(database.url, '--driver', driver)
    expect(disabled.exitCode).toBe(1)
    const faults = about(disabled.checks, /^table public\.orders$/)
    // Inserts, updates, deletes and truncate.
    expect(faults.map(({ level }) => level)).toEqual(['problem', 'problem', 'problem', 'problem'])
    for (const statement of faults.flatMap(({ statements }) => statements)) await database.query(statement)
    expect((await findings(database.url, '--driver', driver)).exitCode).toBe(0)
  })

  test('knows a server that cannot be read logically, and a slot that was lost', async () => {
    await using server = await startPostgres({
      version: supported(postgres.version),
      sources: ['embedded'],
      settings: { wal_level: 'replica' },
    })
    const replica = await findings(server.url, '--driver', 'wal')
    expect(replica.exitCode).toBe(1)
    expect(replica.checks.filter(({ level }) => level === 'problem')).toMatchObject([
      { subject: 'server', statements: [`ALTER SYSTEM SET wal_level = 'logical'`] },
    ])
    await using limited = await startPostgres({
      version: supported(postgres.version),
      sources: ['embedded'],
      settings: { max_slot_wal_keep_size: '16MB', max_wal_size: '32MB', min_wal_size: '32MB' },
    })
    await using database = await limited.createDatabase()
    const slot = await createSlot(database, 'billing')
    for (let segment = 0; segment < 5; segment += 1) {
      await database.query(`SELECT pg_logical_emit_message(true, 'noise', 'x')`)
      await database.query('SELECT pg_switch_wal()')
    }
    await database.query('CHECKPOINT')
    const { checks, exitCode } = await findings(database.url, '--driver', 'wal')
    expect(exitCode).toBe(1)
    const [lost] = about(checks, new RegExp(`^slot ${slot}$`))
    expect(lost?.sentence).toContain('Subscription billing lost its place')
    for (const statement of lost?.statements ?? []) await database.query(statement)
    expect((await findings(database.url, '--driver', 'wal')).exitCode).toBe(0)
  })

  test('ends with 1 and one sentence where the database cannot be reached', async () => {
    const result = await runRowtap(['doctor', '--url', 'postgresql://ada:s3cr3t@127.0.0.1:1/shop'])
    expect(result).toEqual({
      exitCode: 1,
      stdout: '',
      stderr: expect.stringMatching(/^rowtap: ERR_CONNECTION_FAILED: .*\n$/),
    })
    expect(result.stderr).not.toContain('s3cr3t')
  })
})
