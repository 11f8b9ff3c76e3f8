import type { PostgresVersion } from '@rowtap/driver-testkit'
import { eventually, startPostgres } from '@rowtap/driver-testkit'
import { describe, expect, test } from 'vitest'
import { inspectWal } from '../health/inspect-wal.ts'
import { notices } from '../testing/notices.ts'
import { testHost, testSession, wanted } from '../testing/test-session.ts'
import { walDriver } from '../wal-driver.ts'

const VERSIONS: readonly PostgresVersion[] = [14, 18]

describe.each(VERSIONS)('a server that has its commits confirmed (PostgreSQL %i)', (version) => {
  test('by whoever reads its log is left alone: its commits would wait for handlers', async () => {
    await using server = await startPostgres({ version, sources: ['embedded'] })
    const database = await server.createDatabase()
    for (const names of ['*', 'ANY 1 (other, *)', 'FIRST 1 ("Rowtap Changes")']) {
      await database.query(`ALTER SYSTEM SET synchronous_standby_names = '${names}'`)
      await database.query('SELECT pg_reload_conf()')
      await eventually(
        async () =>
          (await database.query('SHOW synchronous_standby_names'))[0]?.['synchronous_standby_names'] === names,
        'the setting is in force',
      )
      await expect(walDriver({ connection: database.url }).open(testHost())).rejects.toMatchObject({
        code: 'ERR_SETUP_REQUIRED',
        retryable: true,
        message: expect.stringContaining('synchronous_standby_names'),
      })
      const { server: found } = await inspectWal({ connection: database.url, sampleMs: 0 })
      expect(found).toMatchObject({ synchronousStandbyNames: names, countsReadersAsStandbys: true })
    }
  })

  test('by a standby that is not there does not keep what the driver sets up waiting', async () => {
    await using server = await startPostgres({ version, sources: ['embedded'] })
    const database = await server.createDatabase()
    await database.query('CREATE TABLE t (id int PRIMARY KEY)')
    await database.query(`ALTER SYSTEM SET synchronous_standby_names = 'FIRST 1 (standby, rowtap)'`)
    await database.query('SET synchronous_commit = local; SELECT pg_reload_conf()')
    await eventually(
      async () => (await database.query('SHOW synchronous_standby_names'))[0]?.['synchronous_standby_names'] !== '',
      'the setting is in force',
    )
    await using wal = await testSession({ connection: database.url, host: testHost({ name: 'billing' }) })
    await wal.session.capture([wanted('t')])
    await database.query('INSERT INTO t VALUES (1)')
    await wal.count(1)
    expect(await database.query(`SELECT sync_state FROM pg_stat_replication`)).toEqual([{ sync_state: 'async' }])
    const { server: found } = await inspectWal({ connection: database.url, sampleMs: 0 })
    expect(found.countsReadersAsStandbys).toBe(false)
  })

  test('by whoever reads its log from now on is let go of, until the setting is mended', async () => {
    await using server = await startPostgres({ version, sources: ['embedded'] })
    const database = await server.createDatabase()
    await database.query('CREATE TABLE t (id int PRIMARY KEY); SET synchronous_commit = local')
    const host = testHost({ name: 'billing' })
    const reconnect = { minDelayMs: 10, maxDelayMs: 100 }
    await using wal = await testSession({ connection: database.url, host, reconnect })
    await wal.session.capture([wanted('t')])
    await database.query(`ALTER SYSTEM SET synchronous_standby_names = '*'`)
    await database.query('SELECT pg_reload_conf()')
    await eventually(() => notices(host, 'reconnect').length > 0, 'it lets go')
    expect(notices(host, 'reconnect')[0]?.cause).toMatchObject({ code: 'ERR_SETUP_REQUIRED' })
    await database.query('INSERT INTO t VALUES (1)')
    await database.query('ALTER SYSTEM RESET synchronous_standby_names')
    await database.query('SELECT pg_reload_conf()')
    await wal.count(1)
    expect(notices(host, 'gap')).toEqual([])
  })
})
