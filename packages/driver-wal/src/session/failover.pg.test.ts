import type { PostgresVersion } from '@rowtap/driver-testkit'
import { eventually } from '@rowtap/driver-testkit'
import { describe, expect, test } from 'vitest'
import type { Failover } from '../testing/failover.ts'
import { failover } from '../testing/failover.ts'
import { isConnected, notices } from '../testing/notices.ts'
import type { TestSession } from '../testing/test-session.ts'
import { testHost, testSession, wanted } from '../testing/test-session.ts'
import { walDriver } from '../wal-driver.ts'

const QUICK = { minDelayMs: 10, maxDelayMs: 100 }
const VERSIONS: readonly PostgresVersion[] = [14, 18]
/** Far more of the log than a new primary writes. */
const NOISE = `SELECT pg_logical_emit_message(false, 'noise', repeat('x', 1000000))`

/** Makes the subscription's slot on the new primary, as somebody would who has read of it. */
const MAKE_SLOT = `
  SELECT pg_create_logical_replication_slot('rowtap_s_' || oid || '_billing', 'pgoutput')
  FROM pg_database WHERE datname = current_database()`

const ids = ({ changes }: TestSession): readonly (string | null | undefined)[] =>
  changes.map((change) => change.new?.[0])

/** Writes what the standby never has, and waits until it is delivered. */
async function writeUnseen(servers: Failover, wal: TestSession, id: number): Promise<void> {
  await servers.query(NOISE)
  await servers.query(`INSERT INTO t VALUES (${id})`)
  await eventually(() => ids(wal).includes(String(id)), 'what the standby does not have is delivered')
}

describe.each(VERSIONS)('a session whose server fails over (PostgreSQL %i)', (version) => {
  test('without a subscription is given every later change, however far the standby was behind', async () => {
    await using servers = await failover(version)
    await using wal = await testSession({ connection: servers.url, reconnect: QUICK })
    await wal.session.capture([wanted('t')])
    await servers.query('INSERT INTO t VALUES (1)')
    await wal.count(1)
    await servers.caughtUp()
    await servers.leaveBehind()
    await writeUnseen(servers, wal, 2)
    await servers.promote()
    await eventually(() => notices(wal.host, 'gap').length > 0, 'a gap')
    await servers.query('INSERT INTO t VALUES (3)')
    expect((await wal.count(3)).at(-1)?.new).toEqual(['3'])
    const [first, undone, later] = wal.changes
    if (first === undefined || undone === undefined || later === undefined) throw new Error('three changes')
    expect(first.position < undone.position && undone.position < later.position).toBe(true)
    expect(later.id).not.toBe(undone.id)
    // A listener that comes later is live there, too.
    const from = await wal.session.capture([wanted('t')])
    await servers.query('INSERT INTO t VALUES (4)')
    const last = (await wal.count(4)).at(-1)
    expect(last !== undefined && last.position > from).toBe(true)
    expect(notices(wal.host, 'gap')).toHaveLength(1)
  })

  test('and whose slot the new primary never had says so, also when it is opened anew', async () => {
    await using servers = await failover(version)
    await using wal = await testSession({
      connection: servers.url,
      host: testHost({ name: 'billing' }),
      reconnect: QUICK,
    })
    await wal.session.capture([wanted('t')])
    await servers.query('INSERT INTO t VALUES (1)')
    await wal.count(1)
    await servers.caughtUp()
    await servers.promote()
    const lost = {
      code: 'ERR_POSITION_LOST',
      message: expect.stringMatching(/has taken over .* timeline 2 began at [0-9A-F]+\/[0-9A-F]+, .* on timeline 1/),
    }
    await expect(wal.reading).rejects.toMatchObject(lost)
    await wal.session.close()
    const again = walDriver({ connection: servers.url })
    await expect(again.open(testHost({ name: 'billing' }))).rejects.toMatchObject(lost)
  })

  test('and whose slot was made again by hand does not pass over what is missing', async () => {
    await using servers = await failover(version)
    await using stops = await testSession({
      connection: servers.url,
      host: testHost({ name: 'billing' }),
      reconnect: QUICK,
    })
    await stops.session.capture([wanted('t')])
    await servers.query('INSERT INTO t VALUES (1)')
    await stops.count(1)
    await servers.caughtUp()
    await servers.promote(async () => {
      await servers.query('INSERT INTO t VALUES (2)')
      await servers.query(MAKE_SLOT)
    })
    await expect(stops.reading).rejects.toMatchObject({
      code: 'ERR_POSITION_LOST',
      message: expect.stringContaining('made again'),
    })
  })

  test('and whose slot was made again by hand begins anew with a gap where it is told to', async () => {
    await using servers = await failover(version)
    const host = testHost({ name: 'billing', onPositionLost: 'restart' })
    await using wal = await testSession({ connection: servers.url, host, reconnect: QUICK })
    await wal.session.capture([wanted('t')])
    await servers.query('INSERT INTO t VALUES (1)')
    await wal.count(1)
    await servers.caughtUp()
    await servers.leaveBehind()
    await writeUnseen(servers, wal, 2)
    await servers.promote(() => servers.query(MAKE_SLOT))
    await eventually(() => notices(host, 'gap').length > 0, 'a gap')
    await servers.query('INSERT INTO t VALUES (3)')
    await wal.count(3)
    expect(ids(wal)).toEqual(['1', '2', '3'])
    expect(notices(host, 'gap')).toMatchObject([{ from: wal.changes[1]?.position, to: expect.any(String) }])
  })
})

describe('a subscription whose slot a standby has (PostgreSQL 18)', () => {
  test('goes on without a gap on a standby that has everything', { timeout: 60_000 }, async () => {
    await using servers = await failover(18)
    const host = testHost({ name: 'billing' })
    await using wal = await testSession({ connection: servers.url, host, reconnect: QUICK, failover: true })
    await wal.session.capture([wanted('t')])
    await servers.query('INSERT INTO t VALUES (1)')
    await wal.count(1)
    await servers.slotCopied()
    await servers.caughtUp()
    await servers.promote(() => servers.query('INSERT INTO t VALUES (2)'))
    await servers.query('INSERT INTO t VALUES (3)')
    await wal.count(3)
    expect(ids(wal)).toEqual(['1', '2', '3'])
    expect(notices(host, 'gap')).toEqual([])
    await eventually(() => isConnected(host), 'it is connected again')
  })

  test('goes on with a gap on a standby that was behind', { timeout: 60_000 }, async () => {
    await using servers = await failover(18)
    const host = testHost({ name: 'billing' })
    await using wal = await testSession({ connection: servers.url, host, reconnect: QUICK, failover: true })
    await wal.session.capture([wanted('t')])
    await servers.query('INSERT INTO t VALUES (1)')
    await wal.count(1)
    await servers.slotCopied()
    await servers.caughtUp()
    await servers.leaveBehind()
    await writeUnseen(servers, wal, 2)
    await servers.promote(() => servers.query('INSERT INTO t VALUES (3)'))
    await servers.query('INSERT INTO t VALUES (4)')
    await wal.count(4)
    expect(ids(wal)).toEqual(['1', '2', '3', '4'])
    const positions = wal.changes.map(({ position }) => position)
    expect(positions.every((one, index) => index === 0 || (positions[index - 1] ?? '') < one)).toBe(true)
    expect(notices(host, 'gap')).toMatchObject([
      { from: positions[1], reason: expect.stringContaining('another server') },
    ])
  })
})
