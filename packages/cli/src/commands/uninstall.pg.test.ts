import type { TestDatabase } from '@rowtap/driver-testkit'
import { catalogueSnapshot, eventually } from '@rowtap/driver-testkit'
import { describePostgres } from '@rowtap/driver-testkit/vitest'
import { expect, test } from 'vitest'

import { RowtapProcess, runRowtap } from '../testing/rowtap-process.ts'

const SHOP = 'CREATE TABLE orders (id int PRIMARY KEY); CREATE TABLE items (id int PRIMARY KEY)'

/** Puts there what a subscription of the driver `wal` has. */
async function subscribe(database: TestDatabase, subscription: string): Promise<string> {
  const [row] = await database.query(
    `SELECT slot_name FROM pg_create_logical_replication_slot(
       (SELECT 'rowtap_s_' || oid || '_${subscription}' FROM pg_database WHERE datname = current_database()), 'pgoutput')`,
  )
  await database.query(`CREATE PUBLICATION rowtap_s_${subscription}_all FOR TABLE orders`)
  await database.query(`CREATE PUBLICATION rowtap_s_${subscription}_inserts WITH (publish = 'insert, truncate')`)
  return String(row?.['slot_name'])
}

/** Runs a command until it listens, and ends it the hard way. */
async function crash(database: TestDatabase, driver: string): Promise<void> {
  await using tail = new RowtapProcess(['tail', '--url', database.url, '--driver', driver, '--table', 'orders'])
  await tail.ready()
  tail.kill('SIGKILL')
  await tail.ended
  await eventually(async () => {
    const rows = await database.query(
      `SELECT FROM pg_stat_activity WHERE datname = current_database() AND application_name IN ('rowtap', 'rowtap changes')`,
    )
    return rows.length === 0
  }, 'the server notices')
}

describePostgres('rowtap uninstall', (postgres) => {
  test('says so where there is nothing', async () => {
    await using database = await postgres.createDatabase()
    expect(await runRowtap(['uninstall', '--url', database.url])).toEqual({
      exitCode: 0,
      stdout: 'There is nothing of rowtap in this database.\n',
      stderr: '',
    })
  })

  test('removes how far snapshots were, also where the rest of the subscription was removed by hand', async () => {
    await using database = await postgres.createDatabase()
    await database.query(`DO $$ DECLARE made oid := lo_create(0); BEGIN
      EXECUTE format('COMMENT ON LARGE OBJECT %s IS %L', made, 'rowtap: how far the snapshots are of rowtap_s_gone_all'); END $$`)
    const [{ oid } = {}] = await database.query('SELECT oid::int AS oid FROM pg_largeobject_metadata')
    const result = await runRowtap(['uninstall', '--url', database.url, '--yes', '--subscription', 'gone'])
    const title = `large object ${String(oid)} of subscription gone`
    expect(result).toEqual({
      exitCode: 0,
      stdout: `${title}, with how far its snapshots were\n    SELECT pg_catalog.lo_unlink(${String(oid)});\nremoved: ${title}\n`,
      stderr: '',
    })
    expect(await database.query('SELECT FROM pg_largeobject_metadata')).toEqual([])
  })

  test('lists what is there with its statements, and removes nothing without a yes', async () => {
    await using database = await postgres.createDatabase()
    await database.query(SHOP)
    const slot = await subscribe(database, 'billing')
    await crash(database, 'trigger')
    const before = await catalogueSnapshot(database)
    const result = await runRowtap(['uninstall', '--url', database.url])
    expect(result.exitCode).toBe(2)
    expect(result.stderr).toBe('rowtap: nothing was removed: without a terminal to ask on, --yes is needed\n')
    expect(result.stdout).toContain(
      `replication slot ${slot} of subscription billing\n    SELECT pg_catalog.pg_drop_replication_slot('${slot}');\n`,
    )
    expect(result.stdout).toContain(
      'publication rowtap_s_billing_all of subscription billing, with public.orders\n    DROP PUBLICATION IF EXISTS "rowtap_s_billing_all";\n',
    )
    expect(result.stdout).toMatch(
      /^change queue rowtap.*\n(?: {4}.*\n)* {4}drop function if exists "rowtap"\.capture\(\) cascade;$/m,
    )
    expect(result.stdout).toMatch(/^ {4}drop schema "rowtap" restrict;$/m)
    expect(await catalogueSnapshot(database)).toEqual(before)
  })

  test('leaves nothing at all of either driver', async () => {
    await using database = await postgres.createDatabase()
    await database.query(SHOP)
    const before = await catalogueSnapshot(database)
    await crash(database, 'wal')
    await crash(database, 'trigger')
    await subscribe(database, 'billing')
    await subscribe(database, 'audit')
    const result = await runRowtap(['uninstall', '--url', database.url, '--yes'])
    expect(result).toMatchObject({ exitCode: 0, stderr: '' })
    expect(result.stdout.match(/^removed: /gm)).toHaveLength(9)
    expect(await catalogueSnapshot(database)).toEqual(before)
  })

  test('leaves nothing of a subscription that a program had, and nothing before the program has ended', async () => {
    await using database = await postgres.createDatabase()
    await database.query(SHOP)
    const before = await catalogueSnapshot(database)
    const uninstall = ['uninstall', '--url', database.url, '--subscription', 'billing', '--yes']
    const flags = ['--table', 'orders', '--subscription', 'billing']
    await using tail = new RowtapProcess(['tail', '--url', database.url, ...flags])
    await tail.ready()
    const during = await catalogueSnapshot(database)
    const refused = await runRowtap(uninstall)
    expect(refused).toMatchObject({ exitCode: 1, stderr: 'rowtap: 3 of 3 objects left\n' })
    expect(await catalogueSnapshot(database)).toEqual(during)
    tail.kill('SIGTERM')
    expect(await tail.exitCode()).toBe(0)
    expect(await catalogueSnapshot(database)).toEqual(during)
    const { exitCode, stdout } = await runRowtap(['doctor', '--url', database.url, '--driver', 'wal'])
    expect(exitCode).toBe(0)
    expect(stdout).toMatch(/^ {2}warning {2}slot rowtap_s_\d+_billing: Subscription billing is read by nobody/m)
    expect(await runRowtap(uninstall)).toMatchObject({ exitCode: 0, stderr: '' })
    expect(await catalogueSnapshot(database)).toEqual(before)
  })

  test('with --json it is one object, before and after', async () => {
    await using database = await postgres.createDatabase()
    await database.query(SHOP)
    const before = await catalogueSnapshot(database)
    await subscribe(database, 'billing')
    const listed = await runRowtap(['uninstall', '--url', database.url, '--json'])
    expect(listed.exitCode).toBe(2)
    const objects = { objects: [{ outcome: 'listed' }, { outcome: 'listed' }, { outcome: 'listed' }] }
    expect(JSON.parse(listed.stdout)).toMatchObject(objects)
    const removed = await runRowtap(['uninstall', '--url', database.url, '--json', '--yes'])
    expect(removed).toMatchObject({ exitCode: 0, stderr: '' })
    expect(JSON.parse(removed.stdout)).toMatchObject({
      objects: [
        {
          driver: 'wal',
          kind: 'replication slot',
          subscription: 'billing',
          usedBy: [],
          outcome: 'removed',
          reason: null,
        },
        { kind: 'publication', name: 'rowtap_s_billing_all', outcome: 'removed' },
        { kind: 'publication', name: 'rowtap_s_billing_inserts', outcome: 'removed' },
      ],
    })
    expect(await catalogueSnapshot(database)).toEqual(before)
  })

  test('removes one subscription, and leaves the others', async () => {
    await using database = await postgres.createDatabase()
    await database.query(SHOP)
    await subscribe(database, 'audit')
    const before = await catalogueSnapshot(database)
    await subscribe(database, 'billing')
    const result = await runRowtap(['uninstall', '--url', database.url, '--subscription', 'billing', '--yes'])
    expect(result).toMatchObject({ exitCode: 0, stderr: '' })
    expect(await catalogueSnapshot(database)).toEqual(before)
    // There is something of rowtap, and nothing of this one any more.
    expect(await runRowtap(['uninstall', '--url', database.url, '--subscription', 'billing', '--yes'])).toEqual({
      exitCode: 0,
      stdout: 'There is nothing of subscription billing in this database.\n',
      stderr: '',
    })
  })

  test.each(['wal', 'trigger'])(
    'leaves what %s uses, says which process, and disconnects one that hangs with --force',
    async (driver) => {
      await using database = await postgres.createDatabase()
      await database.query(SHOP)
      const before = await catalogueSnapshot(database)
      await using tail = new RowtapProcess(['tail', '--url', database.url, '--driver', driver, '--table', 'orders'])
      await tail.ready()
      const during = await catalogueSnapshot(database)
      await subscribe(database, 'billing')
      const refused = await runRowtap(['uninstall', '--url', database.url, '--yes'])
      expect(refused.exitCode).toBe(1)
      expect(refused.stderr).toMatch(/^rowtap: \d of \d objects left\n$/)
      expect(refused.stdout).toMatch(/: stays, it is in use by server process \d+/)
      expect(await catalogueSnapshot(database)).toEqual(during)
      // One that still runs would connect again.
      tail.kill('SIGSTOP')
      const forced = await runRowtap(['uninstall', '--url', database.url, '--yes', '--force'])
      expect(forced).toMatchObject({ exitCode: 0, stderr: '' })
      expect(forced.stdout).not.toContain('left: ')
      expect(await catalogueSnapshot(database)).toEqual(before)
    },
  )

  test('says of what the role may not remove why it stays', async () => {
    await using database = await postgres.createDatabase()
    await database.query(SHOP)
    const role = await database.createRole()
    await database.query('CREATE PUBLICATION rowtap_s_copied_all')
    const result = await runRowtap(['uninstall', '--url', role.url, '--yes'])
    expect(result.exitCode).toBe(1)
    expect(result.stdout).toMatch(
      /publication rowtap_s_copied_all of subscription copied: stays, it belongs to the role/,
    )
    expect(result.stderr).toBe('rowtap: 1 of 1 object left\n')
  })
})
